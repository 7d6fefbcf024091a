/**
 * What a user's search means.
 */
import { parse, withTypes } from '../center/query';

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
    // What names no type, and what is an address or a time, is text.
    ['type:i', { text: 'type:i' }],
    ['https://example.org', { text: 'https://example.org' }],
    ['at 15:30', { text: 'at 15:30' }],
    // Still being typed.
    ['from:', { text: 'from:' }],
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
