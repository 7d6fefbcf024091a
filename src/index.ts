import {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

/** Holds the place of the extension's plugins until they are here. */
const placeholder: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab_notify:placeholder',
  description: 'Holds the place of the notification plugins.',
  autoStart: true,
  activate: (app: JupyterFrontEnd) => undefined
};

export default placeholder;
