/**
 * The meaning of a user's search.
 */
import { completions, parse, withSource, withTypes } from '../center/query';

describe('parse', () => {
  it.each([
    ['', {}],
    ['disk full', { text: 'disk full' }],
    ['  disk   full ', { text: 'disk full' }],
    ['type:error', { types: ['error'] }],
    ['TYPE:Error', { types: ['error'] }],
    ['type:error,warning', { types: ['error', 'warning'] }],
    ['type:warning type:error', { types: ['error', 'warning'] }],
    ['type:in-progress', { types: ['in-progress'] }],
    ['type:succ', { types: ['success'] }],
    ['from:quota', { source: 'quota' }],
    ['source:quota', { source: 'quota' }],
    ['from:"batch queue" job', { source: 'batch queue', text: 'job' }],
    ['"two words"', { text: 'two words' }],
    [
      'type:error from:quota disk',
      { types: ['error'], source: 'quota', text: 'disk' }
    ],
    // A word that names no type, an address and a time are text.
    ['type:i', { text: 'type:i' }],
    ['https://example.org', { text: 'https://example.org' }],
    ['at 15:30', { text: 'at 15:30' }],
    // Still being typed.
    ['from:', {}],
    ['disk Source:', { text: 'disk' }],
    ['from:"batch qu', { source: 'batch qu' }]
  ])('%j', (search, query) => {
    expect(parse(search, 'inbox')).toEqual({ view: 'inbox', ...query });
  });
});

describe('withTypes', () => {
  it('changes the types and leaves the rest of the search', () => {
    expect(withTypes('disk type:error from:"a b"', ['warning', 'error'])).toBe(
      'type:error type:warning disk from:"a b"'
    );
    expect(withTypes('type:error disk', [])).toBe('disk');
  });
});

describe('withSource', () => {
  it.each([
    ['disk type:error', 'quota', 'from:quota disk type:error'],
    ['from:a source:b disk', 'batch queue', 'from:"batch queue" disk'],
    ['from:"a b" disk', null, 'disk'],
    ['', 'the "new" queue', 'from:"the ""new"" queue"'],
    ['disk', '"', 'from:"""" disk'],
    ['', 'a:b/c,d', 'from:a:b/c,d'],
    ['', '\u05e9\u05dc\u05d5\u05dd', 'from:\u05e9\u05dc\u05d5\u05dd']
  ])('%j with %j', (search, source, expected) => {
    const written = withSource(search, source);
    expect(written).toBe(expected);
    // The menu shows as chosen what the field says.
    expect(parse(written, 'inbox').source).toBe(source ?? undefined);
  });
});

describe('completions', () => {
  const SOURCES = ['batch queue', 'quota', 'Q', 'a "b"'];
  it.each([
    ['', []],
    ['disk', []],
    ['t', ['type:']],
    ['disk f', ['disk from:']],
    ['type:s', ['type:success']],
    ['type:success', []],
    ['disk type:i', ['disk type:info', 'disk type:in-progress']],
    ['type:error,w', ['type:error,warning']],
    ['type:error,e', []],
    ['disk type:Info,i', ['disk type:info,in-progress']],
    // Names that begin with the text come first.
    ['from:qu', ['from:quota', 'from:"batch queue"']],
    ['from:"batch q', ['from:"batch queue"']],
    ['source:Q', ['source:quota', 'source:"batch queue"']],
    ['from:"a ""', ['from:"a ""b"""']],
    ['from:nobody', []],
    ['https://example.org', []]
  ])('of %j', (search, expected) => {
    expect(completions(search, SOURCES)).toEqual(expected);
  });
});
