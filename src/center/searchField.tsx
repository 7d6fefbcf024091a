/**
 * The search field, which offers completions of a word.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import { Glyph, IconButton } from '../components/icons';
import { visible } from '../text/visible';
import { completions } from './query';
import { classes } from './row';
import type { ISource } from './sources';

/**
 * The field.
 */
// Longer than a screen: the field, and the list of completions that its keys move in.
export function SearchField(props: {
  search: string;
  sources: readonly ISource[];
  fieldRef: React.RefObject<HTMLInputElement>;
  onSearch(search: string): void;
  /** Down from the field goes to the list. */
  onLeave(): void;
}): JSX.Element {
  const { search, fieldRef, onSearch } = props;
  const { prefix, trans } = React.useContext(Shared);
  const list = `${prefix}completions`;
  const offer = useOffer(props);
  return (
    <>
      <input
        ref={fieldRef}
        type="text"
        role="searchbox"
        spellCheck={false}
        autoComplete="off"
        value={search}
        aria-label={trans.__('Search notifications')}
        aria-autocomplete="list"
        aria-controls={offer.options.length > 0 ? list : undefined}
        aria-activedescendant={offer.at < 0 ? undefined : `${list}-${offer.at}`}
        placeholder={trans.__('Search, or type:error from:quota')}
        onChange={event => {
          offer.open();
          onSearch(event.target.value);
        }}
        onBlur={offer.close}
        onKeyDown={offer.onKeyDown}
      />
      {search && (
        <IconButton
          className="jp-NotifyFilter-clear"
          label={trans.__('Clear the search')}
          onClick={() => {
            onSearch('');
            fieldRef.current?.focus();
          }}
        >
          <Glyph name="close" />
        </IconButton>
      )}
      {offer.options.length > 0 && (
        <ul
          id={list}
          className="jp-NotifyMenu jp-NotifyCompletions"
          role="listbox"
          aria-label={trans.__('Ways to go on')}
        >
          {offer.options.map((option, index) => (
            <li
              key={option}
              id={`${list}-${index}`}
              role="option"
              aria-selected={index === offer.at}
              className={classes('', { 'jp-mod-active': index === offer.at })}
              // The field keeps the focus.
              onMouseDown={event => {
                event.preventDefault();
                offer.take(option);
              }}
            >
              {visible(option)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** The completions on offer, and the one that Enter takes; Tab takes the first if none is chosen. */
function useOffer(props: React.ComponentProps<typeof SearchField>) {
  const { search, sources, onSearch, onLeave } = props;
  const [isOpen, setOpen] = React.useState(false);
  const [at, setAt] = React.useState(-1);
  const names = sources.map(({ name }) => name);
  const options = isOpen ? completions(search, names) : [];
  const count = options.length;
  const close = () => {
    setOpen(false);
    setAt(-1);
  };
  const take = (option: string) => {
    // After the name of a filter comes its value; after a value another word.
    const goesOn = option.endsWith(':');
    onSearch(goesOn ? option : `${option} `);
    setAt(-1);
    setOpen(goesOn);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && count > 0) {
      setAt(at < 0 && by < 0 ? count - 1 : (at + by + count) % count);
    } else if (event.key === 'Enter' && at in options) {
      take(options[at]);
    } else if (event.key === 'Tab' && !event.shiftKey && count > 0) {
      take(options[at in options ? at : 0]);
    } else if (event.key === 'Escape' && count > 0) {
      event.stopPropagation();
      close();
    } else if (event.key === 'Escape' && search) {
      event.stopPropagation();
      onSearch('');
    } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
      onLeave();
    } else {
      return;
    }
    event.preventDefault();
  };
  const open = () => {
    setOpen(true);
    setAt(-1);
  };
  return { options, at: at in options ? at : -1, take, open, close, onKeyDown };
}
