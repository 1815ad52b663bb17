/** Entry of what lists of tasks and searches need, apart from the main one: the first screen loads without it. */

export { findTasks } from './context/findTasks';
export { type GroupColumn, observeTaskLines, readFirstLines, type TaskLine } from './context/taskLines';
