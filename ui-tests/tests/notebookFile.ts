/**
 * Notebooks of code cells, written where a server finds them.
 */
import * as fs from 'fs';
import * as path from 'path';

/** A cell's id and code. */
export interface ICodeCell {
  id: string;
  source: string;
}

/** Write a notebook of these cells into a folder, for the kernel that every server has. */
export function writeNotebook(
  folder: string,
  name: string,
  cells: ICodeCell[]
): void {
  fs.writeFileSync(
    path.join(folder, name),
    JSON.stringify({
      cells: cells.map(({ id, source }) => ({
        cell_type: 'code',
        id,
        execution_count: null,
        metadata: {},
        outputs: [],
        source
      })),
      metadata: {
        kernelspec: {
          display_name: 'Python 3',
          language: 'python',
          name: 'python3'
        },
        language_info: { name: 'python' }
      },
      nbformat: 4,
      nbformat_minor: 5
    })
  );
}
