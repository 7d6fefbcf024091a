/**
 * Makes sure that the page has one bell and one number: hides JupyterLab's own bell, and puts the
 * number into the title of the page.
 */
import type { CommandRegistry } from '@lumino/commands';

import type { INotificationModel } from '../tokens';
import type { PageTitle } from './pageTitle';

/** JupyterLab's _Show Notifications_. */
const DISPLAY = 'apputils:display-notifications';

/** A page with this class does not show JupyterLab's bell. */
const ONE_BELL = 'jp-mod-notifyOneBell';

/**
 * Hides JupyterLab's bell, and the menu item of the list behind it.
 */
export class OneBell {
  /**
   * Hide both.
   */
  constructor(commands: CommandRegistry) {
    this._commands = commands;
    document.body.classList.add(ONE_BELL);
    // Only the code that added a command can change it, so the registry's answer is changed
    // instead. The item then leaves the menu without a gap: a menu asks if each item is visible,
    // and shows a separator only between visible ones.
    const isVisible = commands.isVisible.bind(commands);
    commands.isVisible = (id, args) =>
      (id !== DISPLAY || this._both) && isVisible(id, args);
  }

  /** True to show JupyterLab's bell as well. */
  set both(both: boolean) {
    this._both = both;
    document.body.classList.toggle(ONE_BELL, !both);
    if (this._commands.hasCommand(DISPLAY)) {
      this._commands.notifyCommandChanged(DISPLAY);
    }
  }

  private readonly _commands: CommandRegistry;
  private _both = false;
}

/**
 * Hands the number to the title of the page; the code for that is loaded once there is a number.
 */
export class LazyPageTitle {
  /**
   * Follow a model.
   */
  constructor(model: INotificationModel) {
    this._model = model;
    model.stateChanged.connect(this._update, this);
  }

  /** True to show the number in the title. */
  set enabled(enabled: boolean) {
    this._enabled = enabled;
    this._update();
  }

  private _update(): void {
    const count = this._enabled ? this._model.counts.unread : 0;
    if (this._title) {
      this._title.count = count;
    } else if (count > 0) {
      this._loading ??= import('./pageTitle').then(
        ({ PageTitle }) => {
          this._title = new PageTitle(document);
          this._update();
        },
        // The bell shows the number, and its next change tries again.
        () => (this._loading = undefined)
      );
    }
  }

  private readonly _model: INotificationModel;
  private _enabled = false;
  private _loading: Promise<unknown> | undefined;
  private _title: PageTitle | undefined;
}
