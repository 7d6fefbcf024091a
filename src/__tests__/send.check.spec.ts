/**
 * What the form that sends a notification says of what was filled in.
 */
import { nullTranslator } from '@jupyterlab/translation';

import { findProblem } from '../send/check';
import type { IngestMessage } from '../wire';

const LABEL = 'Open';

describe('findProblem', () => {
  const trans = nullTranslator.load('jupyterlab_notify');
  const problem = (message: Partial<IngestMessage>) =>
    findProblem(
      { message: 'm', ...message },
      id => id === 'filebrowser:activate',
      trans
    );
  const opens = (target: object) =>
    problem({ actions: [{ label: LABEL, ...target }] });

  it('finds none in what the server takes', () => {
    expect(problem({})).toBeNull();
    expect(
      problem({ message: '\u{1f600}'.repeat(4096), body: 'b'.repeat(32768) })
    ).toBeNull();
    expect(opens({ label: 'l'.repeat(80) })).toBeNull();
  });

  it.each([
    ['message', { message: ' \n' }, 'A notification needs a message.'],
    [
      'message',
      { message: 'm'.repeat(4097) },
      'The message has 4,097 characters. It may have 4,096; the details have room for more.'
    ],
    [
      'details',
      { body: 'é'.repeat(16385) },
      'The details have 32,770 bytes. They may have 32,768.'
    ],
    [
      'label',
      { actions: [{ label: 'l'.repeat(81) }] },
      'The button says 81 characters. It may say 80.'
    ]
  ])('says what is wrong with the %s', (field, message, text) => {
    expect(problem(message as Partial<IngestMessage>)).toEqual({ field, text });
  });

  it.each(['https://example.org', 'HTTP://localhost:8888/', 'mailto:a@b.org'])(
    'lets a button open %s',
    url => {
      expect(opens({ url })).toBeNull();
    }
  );

  it.each(['https://', 'https://a b/', 'http://[', 'mailto:'])(
    'says that %s is no whole address',
    url => {
      expect(opens({ url })).toEqual({
        field: 'target',
        text: `This is not a whole web or mail address: ${url}`
      });
    }
  );

  it('lets a button run a command that is there', () => {
    expect(opens({ commandId: 'filebrowser:activate' })).toBeNull();
  });

  it.each(['example.org', 'javascript:alert(1)', 'ftp://example.org'])(
    'says that %s is neither an address nor a command',
    commandId => {
      expect(opens({ commandId })).toEqual({
        field: 'target',
        text: `This is neither an address, which begins with “https://”, nor a command of JupyterLab: ${commandId}`
      });
    }
  );
});
