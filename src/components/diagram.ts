/**
 * Draws a diagram; loaded when a user first asks for one.
 */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { DIAGRAM_TYPE } from './markdownParts';

/**
 * Have JupyterLab draw a diagram.
 *
 * @returns The address of an image, in which no script runs; null if it was not drawn.
 * @throws JupyterLab's error if it cannot draw the diagram.
 */
export async function drawDiagram(
  rendermime: IRenderMimeRegistry,
  text: string
): Promise<string | null> {
  // eslint-disable-next-line jupyter/require-disposable-transfer -- it is disposed below
  const renderer = rendermime.createRenderer(DIAGRAM_TYPE);
  try {
    await renderer.renderModel(
      rendermime.createModel({ data: { [DIAGRAM_TYPE]: text } })
    );
    const src = renderer.node.querySelector('img')?.src ?? '';
    return src.startsWith('data:image/svg+xml,') ? src : null;
  } finally {
    renderer.dispose();
  }
}
