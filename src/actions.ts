/**
 * The plugin that runs the buttons of notifications. A sender only asks for a command: the site
 * or the user has to allow it.
 */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { imageHosts } from './components/imageHosts';
import { ownFiles } from './components/ownFiles';
import { followSettings, SETTINGS } from './settings';
import { visible } from './text/visible';
import { INotificationActions, INotificationModel } from './tokens';
import type { Action, Notification, StateChange } from './wire';

/**
 * The schemes of the links that a button may open.
 */
const LINK_SCHEMES = ['http:', 'https:', 'mailto:'];

/**
 * Runs buttons: links of harmless schemes and listed commands at once, other
 * commands once the user has agreed.
 */
export class NotificationActions implements INotificationActions {
  /**
   * Make a runner of buttons.
   */
  constructor(options: NotificationActions.IOptions) {
    this._commands = options.commands;
    this._model = options.model;
    this._trans = options.trans;
  }

  /** The ids of the commands that run without a question. */
  allowedCommands: readonly string[] = [];

  /**
   * The names of the arguments with which a listed command runs without a question, by command. A
   * command without an entry may have any arguments: that is for the site to decide.
   */
  allowedArguments: Readonly<Record<string, readonly string[]>> = {};

  /**
   * Run a button.
   */
  async run(notification: Notification, index: number): Promise<void> {
    const action = notification.actions[index];
    if (!action) {
      return;
    }
    let state: StateChange = { read: true };
    if (action.commandId) {
      if (!(await this._runCommand(notification, action, action.commandId))) {
        return;
      }
    } else if (action.url) {
      if (!(await this._openLink(action.url))) {
        return;
      }
    } else if (notification.dismissable) {
      // A message that its sender keeps in sight can be marked as read, but not closed.
      state = { closed: true };
    }
    try {
      await this._model.change({ ids: [notification.id] }, state);
    } catch (error) {
      await showErrorMessage(
        this._trans.__('The notification could not be changed'),
        error as Error
      );
    }
  }

  private async _openLink(url: string): Promise<boolean> {
    let scheme: string | null = null;
    try {
      // A valid address has no white space; browsers would silently correct one that has.
      scheme = /\s/.test(url) ? null : new URL(url).protocol;
    } catch {
      // Refused below.
    }
    if (scheme === null || !LINK_SCHEMES.includes(scheme)) {
      await showErrorMessage(
        this._trans.__('This link is not opened'),
        this._trans.__('It is not a web or mail address: %1', visible(url))
      );
      return false;
    }
    // Open it before anything is awaited, or the browser blocks it as a pop-up.
    window.open(url, '_blank', 'noopener,noreferrer');
    return true;
  }

  private async _runCommand(
    notification: Notification,
    action: Action,
    id: string
  ): Promise<boolean> {
    const { allowedArguments, allowedCommands } = this;
    // Loaded when it is first needed.
    const { runCommand } = await import('./actionCommand');
    return runCommand({
      commands: this._commands,
      allowedArguments,
      allowedCommands,
      notification,
      action,
      id,
      trans: this._trans
    });
  }

  private readonly _commands: CommandRegistry;
  private readonly _model: INotificationModel;
  private readonly _trans: TranslationBundle;
}

/**
 * The namespace of {@link NotificationActions}' options.
 */
export namespace NotificationActions {
  /**
   * The options for running buttons.
   */
  export interface IOptions {
    /** The registry in which commands run. */
    commands: CommandRegistry;
    /** The model, which is told that a notification was read or closed. */
    model: INotificationModel;
    /** The language. */
    trans: TranslationBundle;
  }
}

/**
 * The id of the plugin.
 */
const PLUGIN_ID = 'jupyterlab_notify:actions';

/**
 * The plugin that provides {@link INotificationActions}.
 */
const plugin: JupyterFrontEndPlugin<INotificationActions> = {
  id: PLUGIN_ID,
  description: 'Runs the action buttons of notifications.',
  autoStart: true,
  provides: INotificationActions,
  requires: [INotificationModel],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: INotificationModel,
    settingRegistry: ISettingRegistry | null,
    translator: ITranslator | null
  ) => {
    const actions = new NotificationActions({
      commands: app.commands,
      model,
      trans: (translator ?? nullTranslator).load('jupyterlab_notify')
    });
    ownFiles.app = app;
    if (settingRegistry) {
      followSettings(settingRegistry, SETTINGS, values => {
        actions.allowedCommands = values.allowedCommands as string[];
        actions.allowedArguments = (values.allowedArguments ?? {}) as Record<
          string,
          string[]
        >;
        imageHosts.listed = (values.imageHosts ?? []) as string[];
      }).catch(error => {
        console.warn('Every command of a notification will ask first.', error);
      });
    }
    return actions;
  }
};

export default plugin;
