/**
 * The sender of a message, as users read it.
 */
import { nullTranslator } from '@jupyterlab/translation';

import { senderOf } from '../text/sender';

const trans = nullTranslator.load('jupyterlab_notify');
const of = (source: string, via: string | null) =>
  senderOf({ source, via }, trans);

describe('senderOf', () => {
  it('adds the name of the token where it is another one', () => {
    expect(of('quota', 'bot-quota')).toBe('quota, via bot-quota');
    expect(of('quota', null)).toBe('quota');
  });

  it('is the source alone where an older server says nothing of tokens', () => {
    expect(senderOf({ source: 'quota' } as any, trans)).toBe('quota');
  });

  it.each(['حصة', 'מכסה', 'quota حصة 5', '\u{1e900}\u{1e901}'])(
    'keeps %s from reordering what stands around it',
    name => {
      expect(of(name, null)).toBe(`\u2068${name}\u2069`);
      expect(of('quota', name)).toBe(`quota, via \u2068${name}\u2069`);
    }
  );

  it.each(['Größe', '配额', 'quota 👩‍🚀', 'плата'])(
    'leaves %s as it is',
    name => {
      expect(of(name, null)).toBe(name);
    }
  );

  it('lets neither name end its own isolation', () => {
    expect(of('حصة\u2069 · 5 %', 'a\u202eb')).toBe(
      '\u2068حصة\\u2069 · 5 %\u2069, via a\\u202eb'
    );
  });
});
