/** Builds when the sources changed. @returns whether there is a build now */
export function ensureBuild(): boolean;
