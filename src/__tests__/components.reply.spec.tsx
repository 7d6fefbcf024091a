/**
 * The question of a message, and its answer.
 */
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { act, Simulate } from 'react-dom/test-utils';

import { type IShared, Shared } from '../components/context';
import { Reply } from '../components/reply';
import { Times } from '../text/times';
import type { Notification } from '../wire';
import { row } from './rows';

describe('Reply', () => {
  const trans = nullTranslator.load('jupyterlab_notify');
  const asked = { choices: ['Yes', 'Later'], text: true, prompt: 'Well?' };
  let node: HTMLElement;
  let root: Root;
  let answers: string[][];
  let failures: unknown[];
  let refused: boolean;
  let shared: IShared;

  beforeEach(() => {
    (globalThis as any).IS_REACT_ACT_ENVIRONMENT = true;
    answers = [];
    failures = [];
    refused = false;
    node = document.createElement('div');
    document.body.append(node);
    root = createRoot(node);
    shared = {
      trans,
      times: new Times(trans),
      drafts: new Map(),
      fail: (reason: unknown) => failures.push(reason),
      model: {
        reply: async (...given: string[]) => {
          answers.push(given);
          if (refused) {
            throw new Error('This question was answered already.');
          }
        }
      }
    } as unknown as IShared;
  });

  afterEach(() => {
    act(() => root.unmount());
    node.remove();
  });

  const show = (given: Partial<Notification>, onWrite?: () => void) =>
    act(async () => {
      root.render(
        <Shared.Provider value={shared}>
          <Reply row={row('a', 1, given)} onWrite={onWrite} />
        </Shared.Provider>
      );
    });
  const buttons = () =>
    [...node.querySelectorAll('button')].map(one => one.textContent);
  const click = (label: string) =>
    act(async () => {
      [...node.querySelectorAll('button')]
        .find(one => one.textContent === label)!
        .click();
    });
  const field = () => node.querySelector('input')!;
  const write = (text: string) =>
    act(async () => {
      field().value = text;
      Simulate.change(field());
    });
  const submit = () =>
    act(async () => Simulate.submit(node.querySelector('form')!));

  it('is nothing where nothing is asked', async () => {
    await show({});
    expect(node.innerHTML).toBe('');
  });

  it('asks with buttons and a field, and sends what was chosen', async () => {
    await show({ reply: asked });
    expect(node.textContent).toContain('Well?');
    expect(buttons()).toEqual(['Yes', 'Later', 'Send']);
    await click('Later');
    expect(answers).toEqual([['a', 'Later']]);
  });

  it('says instead that the program is gone, unless it was answered before', async () => {
    const stopped = '2026-11-28T22:00:00.000Z';
    await show({ reply: asked, stopped });
    expect(node.textContent).toBe('The program that asked is gone.');
    expect(buttons()).toEqual([]);
    await show({ reply: asked, stopped, answer: 'Yes', answered: stopped });
    expect(node.textContent).toBe('You answered: Yes');
  });

  it('sends what was written, without the blanks around it, and nothing blank', async () => {
    await show({ reply: asked });
    await write('   ');
    await submit();
    expect(answers).toEqual([]);
    await write('  in May ');
    await submit();
    expect(answers).toEqual([['a', 'in May']]);
    expect(shared.drafts.size).toBe(0);
  });

  it('says that an answer is too long, and keeps all of it', async () => {
    await show({ reply: asked });
    // An emoji is one character, as it is to the server.
    await write('\u{1f600}'.repeat(4096));
    expect(node.querySelector('[role="alert"]')).toBeNull();
    await write(`${'\u{1f600}'.repeat(4096)}!`);
    await submit();
    expect(answers).toEqual([]);
    expect(node.querySelector('[role="alert"]')!.textContent).toBe(
      'The answer has 4,097 characters. It may have 4,096.'
    );
    expect(field().getAttribute('aria-invalid')).toBe('true');
    expect(field().value).toHaveLength(2 * 4096 + 1);
    await write('short');
    await submit();
    expect(answers).toEqual([['a', 'short']]);
  });

  it('keeps what was begun while its row is out of sight, and what was refused', async () => {
    await show({ reply: asked });
    await write('half a sent');
    act(() => root.unmount());
    root = createRoot(node);
    await show({ reply: asked });
    expect(field().value).toBe('half a sent');
    refused = true;
    await submit();
    expect(failures).toHaveLength(1);
    expect(field().value).toBe('half a sent');
    expect(shared.drafts.get('a')).toBe('half a sent');
  });

  it('says what was answered; only what a program asked is answered once', async () => {
    const answered = {
      reply: asked,
      answer: 'Yes',
      answered: row('a', 1).updated
    };
    await show(answered);
    expect(node.textContent).toContain('You answered: Yes');
    expect(buttons()).toEqual([]);
    await show({ ...answered, origin: 'message' });
    expect(buttons()).toEqual(['Change']);
    await click('Change');
    expect(buttons()).toEqual(['Yes', 'Later', 'Send']);
    expect(node.querySelector('button[aria-pressed="true"]')!.textContent).toBe(
      'Yes'
    );
    await click('Later');
    expect(answers).toEqual([['a', 'Later']]);
    expect(buttons()).toEqual(['Change']);
  });

  it('leads to the field where there is no room for it', async () => {
    let led = 0;
    await show({ reply: asked }, () => led++);
    expect(node.querySelector('input')).toBeNull();
    await click('Write an answer…');
    expect(led).toBe(1);
  });

  it('shows characters that reorder others as what they are', async () => {
    await show({ reply: { choices: ['a\u202eb'], text: false, prompt: null } });
    expect(buttons()).toEqual(['a\\u202eb']);
    await click('a\\u202eb');
    expect(answers).toEqual([['a', 'a\u202eb']]);
  });
});
