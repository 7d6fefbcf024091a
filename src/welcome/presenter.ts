/**
 * Shows the welcome messages when they are due, and tells the server what the user did with them.
 */
import { URLExt } from '@jupyterlab/coreutils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { INotificationModel, NotificationModel } from '../tokens';
import type { WelcomeMessage } from '../wire';
import { WelcomeScheduler } from './scheduler';
import type { WelcomeModal } from './view';

/**
 * Opens and closes the dialog of the welcome messages.
 */
export class WelcomePresenter {
  /**
   * Make a presenter; it shows nothing before {@link update}.
   */
  constructor(options: WelcomePresenter.IOptions) {
    this._options = options;
  }

  /**
   * Ask the server which messages are due, and show them, or close those that were answered
   * elsewhere.
   */
  async update(): Promise<void> {
    const asked = ++this._generation;
    if (this._own > 0) {
      return;
    }
    try {
      const { messages } = await this._options.model.welcome();
      if (asked === this._generation && this._own === 0) {
        const { show, close } = this._scheduler.step(
          messages,
          this._modal?.ids ?? [],
          Date.now()
        );
        if (close) {
          this._modal?.close();
        }
        if (show.length > 0) {
          await this.open(show, true);
        }
      }
    } catch (error) {
      // The next change of the welcome messages asks again.
      console.warn('The welcome messages could not be fetched.', error);
    }
  }

  /**
   * Tell the server what the user did, and take note of the new state, so that it does not count as
   * a change from elsewhere.
   *
   * @returns All messages in their new state.
   */
  async answer(
    what: NotificationModel.WelcomeAnswer
  ): Promise<readonly WelcomeMessage[]> {
    const { model } = this._options;
    this._own += 1;
    try {
      await model.answerWelcome(what);
      const { messages } = await model.welcome();
      this._scheduler.adopt(messages);
      return messages;
    } finally {
      this._own -= 1;
      this._generation += 1;
    }
  }

  /**
   * Open the dialog.
   *
   * @param counts - Whether showing a message counts as a view of it.
   */
  async open(
    messages: readonly WelcomeMessage[],
    counts: boolean
  ): Promise<void> {
    const { baseUrl, rendermime, trans } = this._options;
    const { WelcomeModal } = await import('./view');
    this._modal?.close();
    const images = URLExt.join(baseUrl, 'jupyterlab-notify/welcome/image/');
    const opened = new WelcomeModal({
      messages,
      rendermime,
      trans,
      images: new URL(images, window.location.href).href,
      dismiss: async ids => {
        await this.answer({ dismiss: ids });
      },
      accept: async id => {
        await this.answer({ accept: [id] });
      },
      closed: seen => {
        if (this._modal === opened) {
          this._modal = null;
        }
        if (counts && seen.length > 0) {
          this.answer({ seen }).catch(error => {
            // The message is shown once more, which is the lesser harm.
            console.warn('A view could not be counted.', error);
          });
        }
      }
    });
    this._modal = opened;
  }

  private readonly _options: WelcomePresenter.IOptions;
  private readonly _scheduler = new WelcomeScheduler(Date.now());
  /** Goes up with each request and each change: the answer to an older request is out of date. */
  private _generation = 0;
  /** Number of this tab's changes that are on their way. */
  private _own = 0;
  private _modal: WelcomeModal | null = null;
}

/**
 * The namespace of {@link WelcomePresenter}'s options.
 */
export namespace WelcomePresenter {
  /**
   * The options of a presenter.
   */
  export interface IOptions {
    model: INotificationModel;
    rendermime: IRenderMimeRegistry;
    trans: TranslationBundle;
    /** The server's address. */
    baseUrl: string;
  }
}
