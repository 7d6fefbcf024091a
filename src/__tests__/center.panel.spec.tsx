/**
 * The work of the open center, which ends once the center is closed.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';

import type { ICenterProps } from '../components/context';
import { Center } from '../center/view';
import type { NotificationModel } from '../tokens';
import type { Page } from '../wire';
import { NOW } from './rows';

class Model {
  changed = new Signal<this, NotificationModel.IChange>(this);
  stateChanged = new Signal<this, void>(this);
  ready = Promise.resolve();
  notifications = [];
  connected = true;
  durable = true;
  unread = 0;
  failing = false;
  asked = 0;
  /** Number of times that the counts were read. */
  looked = 0;

  get counts() {
    this.looked++;
    return { inbox: 0, unread: this.unread, dismissed: 0, snoozed: 0 };
  }

  now = () => Date.parse(NOW);

  async page(): Promise<Page> {
    this.asked++;
    if (this.failing) {
      throw new Error('The server cannot be reached.');
    }
    return {
      notifications: [],
      next: null,
      counts: { inbox: 0, unread: 0, dismissed: 0, snoozed: 0 },
      cursor: 'e:1'
    };
  }
}

class Host {
  visible = true;
  visibleChanged = new Signal<this, boolean>(this);
  requested = new Signal<this, void>(this);
  commands = new CommandRegistry();
  takeRequest = () => undefined;
  close = () => undefined;

  async show(visible: boolean): Promise<void> {
    await act(async () => {
      this.visible = visible;
      this.visibleChanged.emit(visible);
    });
  }
}

describe('Center', () => {
  let model: Model;
  let host: Host;
  let node: HTMLElement;
  let root: Root;

  beforeEach(() => {
    jest.useFakeTimers();
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    model = new Model();
    host = new Host();
    node = document.createElement('div');
    root = createRoot(node);
  });

  afterEach(() => {
    act(() => root.unmount());
    jest.useRealTimers();
  });

  async function draw(): Promise<void> {
    await act(async () => {
      root.render(
        <Center
          {...({
            model,
            host,
            actions: {},
            rendermime: {},
            trans: nullTranslator.load('jupyterlab_notify')
          } as unknown as ICenterProps)}
        />
      );
    });
    await act(() => jest.advanceTimersByTimeAsync(1));
  }

  async function tell(): Promise<void> {
    await act(async () => model.stateChanged.emit());
  }

  it('is not drawn while nobody sees it, and true once somebody does', async () => {
    await draw();
    model.unread = 3;
    await tell();
    expect(node.textContent).toContain('3 unread');

    await host.show(false);
    const { looked } = model;
    model.unread = 4;
    await tell();
    await tell();
    expect(model.looked).toBe(looked);
    await host.show(true);
    expect(node.textContent).toContain('4 unread');
  });

  it('asks again for a list that did not come once the connection is back', async () => {
    model.failing = true;
    await draw();
    expect(node.textContent).toContain('The server cannot be reached.');
    model.connected = false;
    await tell();
    expect(model.asked).toBe(1);
    model.failing = false;
    model.connected = true;
    await tell();
    expect(node.textContent).toContain('All quiet');
    await tell();
    expect(model.asked).toBe(2);
  });
});
