/**
 * The times at which the text of an opened message is fetched, and what a button says of itself.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { act } from 'react-dom/test-utils';

import { FetchedBodies, type IShared, Shared } from '../components/context';
import { ActionButton, Body } from '../components/message';
import type { Notification } from '../wire';
import { row } from './rows';

describe('Body', () => {
  let asked: number;
  let failing: boolean;
  let node: HTMLElement;
  let root: Root;
  let shown: Notification;

  beforeEach(() => {
    jest.useFakeTimers();
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    asked = 0;
    failing = false;
    connect(true);
    node = document.createElement('div');
    root = createRoot(node);
  });

  afterEach(() => {
    act(() => root.unmount());
    jest.useRealTimers();
  });

  const model = {
    connected: true,
    stateChanged: new Signal<unknown, void>({}),
    detail: async () => {
      asked++;
      if (failing) {
        throw new Error('The server cannot be reached.');
      }
      return { ...shown, body: `text of ${shown.seq}` };
    }
  };
  const connect = (connected: boolean) => {
    model.connected = connected;
    model.stateChanged.emit();
  };

  const shared = {
    fetched: new FetchedBodies(),
    markdown: { block: async (source: string) => source },
    model,
    trans: nullTranslator.load('jupyterlab_notify')
  } as unknown as IShared;

  async function show(given: Notification): Promise<void> {
    shown = given;
    await act(async () => {
      root.render(
        <Shared.Provider value={shared}>
          <Body row={given} />
        </Shared.Provider>
      );
    });
    await act(() => jest.advanceTimersByTimeAsync(250));
  }

  it('is fetched every few seconds while a progress goes on, and at its end', async () => {
    const tick = (seq: number) =>
      show(
        row('job', seq, { type: 'in-progress', hasBody: true, position: 1 })
      );
    for (let seq = 1; seq <= 40; seq++) {
      await tick(seq);
    }
    expect(asked).toBeGreaterThanOrEqual(3);
    expect(asked).toBeLessThanOrEqual(5);
    const before = asked;
    await show(row('job', 41, { type: 'success', hasBody: true }));
    expect(asked).toBe(before + 1);
    expect(node.textContent).toBe('text of 41');
    await act(() => jest.advanceTimersByTimeAsync(10_000));
    expect(asked).toBe(before + 1);
  });

  it('is fetched by itself once the server is there again', async () => {
    failing = true;
    connect(false);
    await show(row('away', 1, { hasBody: true }));
    expect(node.textContent).toContain('The text could not be fetched.');
    await act(() => jest.advanceTimersByTimeAsync(60_000));
    expect(asked).toBe(1);
    failing = false;
    await act(async () => connect(true));
    await act(() => jest.advanceTimersByTimeAsync(250));
    expect(asked).toBe(2);
    expect(node.textContent).toBe('text of 1');
    // And no more.
    await act(async () => connect(false));
    await act(async () => connect(true));
    expect(asked).toBe(2);
  });

  it('says that it is gone if it expired before it was fetched', async () => {
    failing = true;
    await show(
      row('over', 1, { hasBody: true, ended: '2026-11-28T10:00:00Z' })
    );
    expect(node.textContent).toBe(
      'Its text is not here: it expired before anybody opened it.'
    );
    expect(node.querySelector('button, [aria-busy]')).toBeNull();
  });

  it('is fetched again if it failed only after the server was there again', async () => {
    let fail = (_: Error) => {};
    const { detail } = model;
    model.detail = () =>
      new Promise((_, reject) => {
        fail = reject;
      });
    connect(false);
    await show(row('late', 1, { hasBody: true }));
    await act(async () => connect(true));
    model.detail = detail;
    await act(async () => fail(new Error('It took too long.')));
    await act(() => jest.advanceTimersByTimeAsync(250));
    expect(asked).toBe(1);
    expect(node.textContent).toBe('text of 1');
  });
});

describe('FetchedBodies', () => {
  it('keeps those that were shown last', () => {
    const bodies = new FetchedBodies();
    for (let i = 0; i < 30; i++) {
      bodies.set(`n${i}`, { row: row(`n${i}`, i), body: '' });
      bodies.set('n0', { row: row('n0', i), body: '' });
    }
    expect(bodies.size).toBe(20);
    expect(bodies.has('n0')).toBe(true);
    expect(bodies.has('n29')).toBe(true);
    expect(bodies.has('n5')).toBe(false);
  });
});

describe('ActionButton', () => {
  const trans = nullTranslator.load('jupyterlab_notify');
  const shared = { trans } as unknown as IShared;

  it.each([
    [{ url: 'https://a.org/' }, 'https://a.org/', true],
    // A caption does not hide the address, nor pose as another one.
    [
      { caption: trans.__('https://b.org/'), url: 'https://a.org/' },
      'https://b.org/\nhttps://a.org/',
      true
    ],
    // The command runs, and nothing opens.
    [{ commandId: 'a:b', url: 'https://a.org/' }, '', false],
    [{ caption: trans.__('For good') }, 'For good', false],
    [{ caption: trans.__('x\u202e') }, 'x\\u202e', false],
    [{}, '', false]
  ])('says where it leads: %j', (action, title, opens) => {
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    const node = document.createElement('div');
    const root = createRoot(node);
    act(() =>
      root.render(
        <Shared.Provider value={shared}>
          <ActionButton
            row={row('a', 1, {
              actions: [{ label: trans.__('Go'), ...action }]
            })}
            index={0}
          />
        </Shared.Provider>
      )
    );
    const button = node.querySelector('button')!;
    expect(button.title).toBe(title);
    expect(button.textContent!.includes('opens in a new tab')).toBe(opens);
    act(() => root.unmount());
  });
});
