/**
 * Notebooks, written where a server finds them.
 */
import * as fs from 'fs';
import * as path from 'path';

/** A cell's id and text, which is code unless it is said to be Markdown. */
export interface ICell {
  id: string;
  source: string;
  markdown?: boolean;
}

/**
 * Write a notebook of these cells into a folder.
 *
 * @param kernel - The name of its kernel; none: the one that every server has.
 */
export function writeNotebook(
  folder: string,
  name: string,
  cells: ICell[],
  kernel?: string
): void {
  fs.writeFileSync(
    path.join(folder, name),
    JSON.stringify({
      cells: cells.map(({ id, source, markdown }) => ({
        ...(markdown
          ? { cell_type: 'markdown' }
          : { cell_type: 'code', execution_count: null, outputs: [] }),
        id,
        metadata: {},
        source
      })),
      metadata: {
        kernelspec: {
          display_name: kernel ?? 'Python 3',
          language: kernel ? 'text' : 'python',
          name: kernel ?? 'python3'
        },
        language_info: { name: kernel ? 'text' : 'python' }
      },
      nbformat: 4,
      nbformat_minor: 5
    })
  );
}
