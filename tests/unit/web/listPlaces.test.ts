import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskPlace } from '@/domain/taskBatches';
import { placesFor } from '@/web/tasks/list/places';

const order = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.double({ min: -1e12, max: 1e12, noNaN: true }),
  fc.constant(1_764_000_000.125),
);
/** Tasks in their order by hand, some of which share a number. */
const lists = fc
  .array(order, { maxLength: 12 })
  .map((orders) =>
    orders.sort((a, b) => a - b).map((sort_order, n): TaskPlace => ({ id: `t${n}`, sort_order })),
  );

/** The order in which a list shows the tasks when the places have been written: equal numbers by id. */
function shownAfter(others: readonly TaskPlace[], places: readonly TaskPlace[]): string[] {
  const now = new Map([...others, ...places].map(({ id, sort_order }) => [id, sort_order]));
  const byPlace = [...now].sort(([a, one], [b, other]) => one - other || (a < b ? -1 : 1));
  return byPlace.map(([id]) => id);
}

describe('the place of a task in an order by hand', () => {
  it.each([
    ['between two', [1, 2], 1, [1.5]],
    ['first', [1, 2], 0, [0]],
    ['last', [1, 2], 2, [3]],
    ['alone', [], 0, [1]],
  ])('is a number: %s', (_, orders, at, expected) => {
    const others = orders.map((sort_order, n) => ({ id: `t${n}`, sort_order }));
    expect(placesFor('x', others, at)).toEqual(expected.map((sort_order) => ({ id: 'x', sort_order })));
  });

  it('is where it was put, and no other task changes its place', () => {
    fc.assert(
      fc.property(lists, fc.nat(), (list, where) => {
        const others = list.map(({ id, sort_order }, n) => ({
          id: `t${String(n).padStart(2, '0')}${id}`,
          sort_order,
        }));
        const at = where % (others.length + 1);
        const places = placesFor('x', others, at);
        const ids = others.map(({ id }) => id);
        expect(places[0]?.id).toBe('x');
        expect(shownAfter(others, places)).toEqual([...ids.slice(0, at), 'x', ...ids.slice(at)]);
      }),
    );
  });

  it('numbers no neighbour anew as long as there is a number between them', () => {
    fc.assert(
      fc.property(order, order, (one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        const middle = low + (high / 2 - low / 2);
        fc.pre(low < middle && middle < high);
        const others = [
          { id: 'a', sort_order: low },
          { id: 'b', sort_order: high },
        ];
        expect(placesFor('x', others, 1)).toHaveLength(1);
      }),
    );
  });

  it('is found again and again in the same gap, with few neighbours numbered anew', () => {
    let others: TaskPlace[] = Array.from({ length: 50 }, (_, n) => ({
      id: `t${String(n).padStart(3, '0')}`,
      sort_order: n,
    }));
    let anew = 0;
    for (let n = 0; n < 200; n += 1) {
      const id = `x${n}`;
      const places = placesFor(id, others, 25);
      anew += places.length - 1;
      const now = new Map(places.map((place) => [place.id, place]));
      others = [...others.slice(0, 25), { id, sort_order: 0 }, ...others.slice(25)].map(
        (other) => now.get(other.id) ?? other,
      );
      const orders = others.map(({ sort_order }) => sort_order);
      expect(orders).toEqual([...orders].sort((a, b) => a - b));
      expect(new Set(orders).size).toBe(orders.length);
    }
    expect(anew).toBeGreaterThan(0);
    expect(anew).toBeLessThan(200);
  });

  it('changes the shorter side of tasks that share a number', () => {
    const others = Array.from({ length: 100 }, (_, n) => ({
      id: `t${String(n).padStart(3, '0')}`,
      sort_order: 0,
    }));
    expect(placesFor('x', others, 3)).toHaveLength(4);
    expect(placesFor('x', others, 98)).toHaveLength(3);
  });
});
