/**
 * The text of the center's search field, parsed to a query and written from one.
 */
import { TYPES } from '../text/labels';
import type { NotificationModel } from '../tokens';
import type { Notification } from '../wire';

/** Number of completions offered at most. */
const MOST_COMPLETIONS = 8;

/** One word: `name:value`, `name:"two words"`, `"two words"` or `word`; a quote in one is doubled. */
const WORD = /(?:([a-z]+):)?(?:"((?:[^"]|"")*)"?|(\S+))/gi;

/** The beginning of a filter whose value is still to be typed. */
const UNFINISHED = /^(type|from|source):$/i;

/**
 * Parse a search to a query.
 *
 * `type:error` (also `type:error,warning`, and a type's beginning) and `from:quota`
 * are filters; all other words are searched for as text.
 */
export function parse(
  search: string,
  view: NotificationModel.IQuery['view']
): NotificationModel.IQuery {
  const types = new Set<Notification['type']>();
  const text: string[] = [];
  let source = '';
  for (const word of words(search)) {
    const found = word.name === 'type' ? typesNamed(word.value) : null;
    if (found) {
      found.forEach(type => types.add(type));
    } else if (word.name === 'from' || word.name === 'source') {
      source = word.value;
    } else if (word.value && !UNFINISHED.test(word.whole)) {
      text.push(word.name ? word.whole : word.value);
    }
  }
  return {
    view,
    ...(types.size > 0 && { types: TYPES.filter(type => types.has(type)) }),
    ...(source && { source }),
    ...(text.length > 0 && { text: text.join(' ') })
  };
}

/**
 * Return a search with other types, so that the menu and the field agree.
 */
export function withTypes(
  search: string,
  types: readonly Notification['type'][]
): string {
  const rest = words(search)
    .filter(word => word.name !== 'type')
    .map(word => word.whole);
  const chosen = TYPES.filter(type => types.includes(type)).map(
    type => `type:${type}`
  );
  return [...chosen, ...rest].join(' ');
}

/**
 * Return a search with another sender, or with none.
 */
export function withSource(search: string, source: string | null): string {
  const rest = words(search)
    .filter(word => word.name !== 'from' && word.name !== 'source')
    .map(word => word.whole);
  return (source ? [term('from', source), ...rest] : rest).join(' ');
}

/**
 * Complete a search: the whole texts that it becomes with each completion of its last word.
 *
 * @param sources - The senders that are known.
 */
export function completions(
  search: string,
  sources: readonly string[]
): string[] {
  const [last] = /(?:[a-z]+:"(?:[^"]|"")*|\S+)$/i.exec(search) ?? [''];
  const head = search.slice(0, search.length - last.length);
  const [, name, typed] = /^([a-z]+):"?(.*)$/i.exec(last.toLowerCase()) ?? [];
  const value = typed?.replaceAll('""', '"');
  const found =
    name === 'type'
      ? typesAfter(value)
      : name === 'from' || name === 'source'
        ? sourcesWith(value, sources).map(source => term(name, source))
        : last
          ? ['type:', 'from:'].filter(one => one.startsWith(last.toLowerCase()))
          : [];
  return found
    .filter(one => one !== last)
    .slice(0, MOST_COMPLETIONS)
    .map(one => head + one);
}

/** Complete the last type of a list of types. */
function typesAfter(value: string): string[] {
  const list = value.slice(0, value.lastIndexOf(',') + 1);
  const last = value.slice(list.length);
  return TYPES.filter(
    type => type.startsWith(last) && !list.split(',').includes(type)
  ).map(type => `type:${list}${type}`);
}

/** Find the sources whose names contain a text; those that begin with it come first. */
function sourcesWith(value: string, sources: readonly string[]): string[] {
  const at = (source: string) => source.toLowerCase().indexOf(value);
  return sources
    .filter(source => at(source) >= 0)
    .sort((a, b) => Math.sign(at(a)) - Math.sign(at(b)));
}

/** Write a filter as a word of a search, in quotes if its value needs them. */
function term(name: string, value: string): string {
  return /[\s"]/.test(value)
    ? `${name}:"${value.replaceAll('"', '""')}"`
    : `${name}:${value}`;
}

interface IWord {
  whole: string;
  name: string;
  value: string;
}

function words(search: string): IWord[] {
  return [...search.matchAll(WORD)].map(match => ({
    whole: match[0],
    name: (match[1] ?? '').toLowerCase(),
    value: (match[2]?.replaceAll('""', '"') ?? match[3] ?? '').trim()
  }));
}

function typesNamed(value: string): Notification['type'][] | null {
  const found: Notification['type'][] = [];
  for (const part of value.toLowerCase().split(',')) {
    const types = part ? TYPES.filter(type => type.startsWith(part)) : [];
    // "i" begins two types and names none: the user is still typing.
    const type =
      types.find(one => one === part) ?? (types.length === 1 ? types[0] : null);
    if (!type) {
      return null;
    }
    found.push(type);
  }
  return found;
}
