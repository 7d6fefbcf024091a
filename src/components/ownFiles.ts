/**
 * The application that opens the user's own files, which texts may name; it is set at its start.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

export const ownFiles = {
  app: null as Pick<JupyterFrontEnd, 'commands' | 'serviceManager'> | null
};
