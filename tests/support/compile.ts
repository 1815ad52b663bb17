/** Source text that a test makes: checked by the TypeScript compiler, then run like any module. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';

const FOLDER = resolve('tests/.generated');

export class GeneratedModules {
  private readonly folder: string;

  constructor(name: string) {
    this.folder = join(FOLDER, name);
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
  }

  /** @returns the path of the module. */
  write(name: string, source: string): string {
    const path = join(this.folder, `${name}.ts`);
    writeFileSync(path, source);
    return path;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * @param overrides of the project's compiler options
 * @returns the compiler's complaints about these files, one a line; empty when there are none
 */
export function typeErrors(paths: string[], overrides: ts.CompilerOptions = {}): string[] {
  const config = ts.readConfigFile(resolve('tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, resolve('.'));
  const program = ts.createProgram(paths, { ...options, ...overrides, noEmit: true });
  // Of these files alone: all that they import is checked with the project.
  const files = paths.map((path) => program.getSourceFile(path));
  return files
    .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
    .concat(program.getOptionsDiagnostics(), program.getGlobalDiagnostics())
    .map(
      ({ messageText, file }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`,
    );
}
