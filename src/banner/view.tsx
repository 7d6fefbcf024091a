/**
 * The widget of the banner across the top of the workspace, loaded when there is a message for it.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { BoxLayout, type Widget } from '@lumino/widgets';
import * as React from 'react';

import type { ICenterProps } from '../components/context';
import type { Announcer } from './announcer';
import { Banner } from './banner';
import '../../style/banner.css';

/**
 * The options of the banner.
 */
export interface IBannerOptions extends Omit<ICenterProps, 'host'> {
  shell: JupyterFrontEnd.IShell;
  announcer: Announcer;
}

/** The elements that follow the banner on the page, in JupyterLab and in Notebook. */
const BELOW = ['jp-main-content-panel', 'spacer-widget-top'];

/**
 * Put the banner on the page, where it then follows the model.
 *
 * @returns The banner, which the page owns.
 */
export function showBanner(options: IBannerOptions): Widget {
  const bar = new BannerBar(options);
  const { shell } = options;
  const below = findBelow(shell);
  const layout = below?.parent?.layout;
  if (below && layout instanceof BoxLayout) {
    BoxLayout.setStretch(bar, 0);
    layout.insertWidget(layout.widgets.indexOf(below), bar);
  } else {
    // Another application, which at least has an area at the top.
    shell.add(bar, 'top', { rank: 10_000 });
  }
  return bar;
}

function findBelow(shell: Widget): Widget | undefined {
  for (const id of BELOW) {
    let nodes = [...(shell.layout ?? [])];
    // Notebook has it three levels down.
    for (let depth = 0; depth < 4 && nodes.length > 0; depth++) {
      const found = nodes.find(widget => widget.id === id);
      if (found) {
        return found;
      }
      nodes = nodes.flatMap(widget => [...(widget.layout ?? [])]);
    }
  }
  return undefined;
}

/**
 * The widget of the banner, as high as its content, and hidden while it has none.
 */
class BannerBar extends ReactWidget {
  constructor(options: IBannerOptions) {
    super();
    this._options = options;
    this.id = 'jp-notify-banner';
    this.addClass('jp-NotifyBanner');
    this.addClass('jp-NotifySurface');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', options.trans.__('Announcements'));
    this.hide();
  }

  /** Stop observing sizes. */
  dispose(): void {
    this._sizes.disconnect();
    super.dispose();
  }

  protected render(): JSX.Element {
    const { shell, model } = this._options;
    return (
      <Banner
        {...this._options}
        rootRef={root => {
          this._sizes.disconnect();
          if (root) {
            this._sizes.observe(root);
          }
        }}
        onFilled={filled => this.setHidden(!filled)}
        onFocusLost={() => {
          if (shell.currentWidget) {
            shell.activateById(shell.currentWidget.id);
          }
        }}
        model={model}
      />
    );
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._measure();
  }

  /** Set the widget's least height, by which the page's layout sizes it. */
  private _measure(): void {
    const content = this.node.firstElementChild as HTMLElement | null;
    const height = content?.offsetHeight ?? 0;
    const minHeight = `${height}px`;
    if (this.isVisible && this.node.style.minHeight !== minHeight) {
      this.node.style.minHeight = minHeight;
      this.parent?.fit();
    }
  }

  private readonly _options: IBannerOptions;
  private readonly _sizes = new ResizeObserver(() => this._measure());
}
