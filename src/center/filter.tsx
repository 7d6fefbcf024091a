/**
 * What is above the list: the views, the search, the types.
 */
import * as React from 'react';

import { TYPES, typesLabel } from '../text/labels';
import type { NotificationModel } from '../tokens';
import type { Notification } from '../wire';
import { Shared } from '../components/context';
import { Glyph, IconButton, TypeIcon } from '../components/icons';
import { parse, withTypes } from './query';
import { classes } from './row';

type View = NotificationModel.IQuery['view'];

/**
 * The filter bar.
 */
export function FilterBar(props: {
  view: View;
  search: string;
  unread: number;
  searchRef: React.RefObject<HTMLInputElement>;
  onView(view: View): void;
  onSearch(search: string): void;
  /** Down from the search field goes to the list. */
  onLeave(): void;
}): JSX.Element {
  const { view, search, onSearch } = props;
  const { trans } = React.useContext(Shared);
  return (
    <div className="jp-NotifyFilter">
      <Views view={view} onView={props.onView} />
      <div className="jp-NotifyFilter-search">
        <input
          ref={props.searchRef}
          type="text"
          role="searchbox"
          spellCheck={false}
          value={search}
          aria-label={trans.__('Search notifications')}
          placeholder={trans.__('Search, or type:error from:quota')}
          onChange={event => onSearch(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape' && search) {
              event.stopPropagation();
              onSearch('');
            } else if (event.key === 'ArrowDown' || event.key === 'Enter') {
              event.preventDefault();
              props.onLeave();
            }
          }}
        />
        {search && (
          <IconButton
            className="jp-NotifyFilter-clear"
            label={trans.__('Clear the search')}
            onClick={() => {
              onSearch('');
              props.searchRef.current?.focus();
            }}
          >
            <Glyph name="close" />
          </IconButton>
        )}
        <TypeMenu
          types={parse(search, view).types ?? []}
          onTypes={types => onSearch(withTypes(search, types))}
        />
      </div>
    </div>
  );
}

/** The three lists, of which one is shown. */
function Views(props: { view: View; onView(view: View): void }): JSX.Element {
  const { view, onView } = props;
  const { trans } = React.useContext(Shared);
  const views: [View, string][] = [
    ['inbox', trans.__('Inbox')],
    ['unread', trans.__('Unread')],
    ['dismissed', trans.__('Done')]
  ];
  const onKeyDown = (event: React.KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) {
      event.preventDefault();
      const at = views.findIndex(([name]) => name === view);
      const to = (at + by + views.length) % views.length;
      onView(views[to][0]);
      (event.currentTarget.children[to] as HTMLElement).focus();
    }
  };
  return (
    <div
      className="jp-NotifyFilter-views"
      role="radiogroup"
      aria-label={trans.__('Show')}
      onKeyDown={onKeyDown}
    >
      {views.map(([name, label]) => (
        <button
          key={name}
          type="button"
          role="radio"
          aria-checked={view === name}
          tabIndex={view === name ? 0 : -1}
          className={classes('jp-NotifyFilter-view', {
            'jp-mod-on': view === name
          })}
          onClick={() => onView(name)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

// Longer than a screen: the keyboard and focus of a menu share its state.
function TypeMenu(props: {
  types: readonly Notification['type'][];
  onTypes(types: Notification['type'][]): void;
}): JSX.Element {
  const { types, onTypes } = props;
  const { trans } = React.useContext(Shared);
  const [open, setOpen] = React.useState(false);
  const root = React.useRef<HTMLDivElement>(null);
  const button = React.useRef<HTMLButtonElement>(null);

  React.useEffect(() => {
    if (!open) {
      return;
    }
    root.current?.querySelector('input')?.focus();
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('pointerdown', outside, true);
    document.addEventListener('focusin', outside, true);
    return () => {
      document.removeEventListener('pointerdown', outside, true);
      document.removeEventListener('focusin', outside, true);
    };
  }, [open]);

  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape' && open) {
      event.stopPropagation();
      setOpen(false);
      button.current?.focus();
    }
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && open) {
      event.preventDefault();
      const boxes = [...(root.current?.querySelectorAll('input') ?? [])];
      const at = boxes.indexOf(document.activeElement as HTMLInputElement);
      boxes[(at + by + boxes.length) % boxes.length]?.focus();
    }
  };

  return (
    <div className="jp-NotifyTypes" ref={root} onKeyDown={onKeyDown}>
      <IconButton
        ref={button}
        className={classes('jp-NotifyTypes-button', {
          'jp-mod-on': types.length > 0
        })}
        label={trans.__('Filter by type')}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Glyph name="filter" />
      </IconButton>
      {open && (
        <div
          className="jp-NotifyTypes-menu"
          role="group"
          aria-label={trans.__('Types')}
        >
          {TYPES.map(type => (
            <label key={type}>
              <input
                type="checkbox"
                checked={types.includes(type)}
                onChange={event =>
                  onTypes(
                    event.target.checked
                      ? [...types, type]
                      : types.filter(one => one !== type)
                  )
                }
              />
              <TypeIcon type={type} progress={0.6} />
              {typesLabel(type, trans)}
            </label>
          ))}
          <button
            type="button"
            className="jp-NotifyLink"
            disabled={types.length === 0}
            onClick={() => {
              onTypes([]);
              setOpen(false);
              button.current?.focus();
            }}
          >
            {trans.__('All types')}
          </button>
        </div>
      )}
    </div>
  );
}
