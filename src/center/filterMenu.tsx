/**
 * The menu of the types and senders that the list is filtered by.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import { Glyph, IconButton, TypeIcon } from '../components/icons';
import { TYPES, typesLabel } from '../text/labels';
import { visible } from '../text/visible';
import type { NotificationModel } from '../tokens';
import type { Notification } from '../wire';
import { classes } from './row';
import type { ISource } from './sources';

type Types = readonly Notification['type'][];

/** Pixels between the menu and the center's lower edge. */
const GAP = 6;

/** The least height of the menu, in pixels. */
const MIN_HEIGHT = 80;

/** The present choice, and the callbacks that tell of a new one. */
interface IFilterProps {
  query: NotificationModel.IQuery;
  sources: readonly ISource[];
  onTypes(types: Types): void;
  onSource(source: string | null): void;
  onClear(): void;
}

/**
 * The button, and the menu while it is open.
 */
export function FilterMenu(props: IFilterProps): JSX.Element {
  const { query, sources, onClear } = props;
  const { trans } = React.useContext(Shared);
  const { open, setOpen, root, button, onKeyDown } = useMenu();
  const filtered = Boolean(query.types || query.source);
  return (
    <div className="jp-NotifyTypes" ref={root} onKeyDown={onKeyDown}>
      <IconButton
        ref={button}
        className={classes('jp-NotifyTypes-button', { 'jp-mod-on': filtered })}
        label={trans.__('Filter by type and sender')}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Glyph name="filter" />
      </IconButton>
      {open && (
        <div className="jp-NotifyMenu jp-NotifyTypes-menu" ref={fit}>
          <TypeBoxes types={query.types ?? []} onTypes={props.onTypes} />
          {sources.length > 0 && (
            <SourceBoxes
              source={query.source}
              sources={sources}
              onSource={props.onSource}
            />
          )}
          <button
            type="button"
            className="jp-NotifyLink"
            disabled={!filtered}
            onClick={() => {
              onClear();
              setOpen(false);
              button.current?.focus();
            }}
          >
            {trans.__('All types and senders')}
          </button>
        </div>
      )}
    </div>
  );
}

/** Have the open menu end within the center, however low that is; it scrolls then. */
function fit(menu: HTMLElement | null): void {
  const frame = menu?.closest('.jp-NotifyCenter-content');
  if (menu && frame) {
    const { bottom } = frame.getBoundingClientRect();
    const room = bottom - menu.getBoundingClientRect().top - GAP;
    menu.style.maxHeight = `${Math.max(MIN_HEIGHT, room)}px`;
  }
}

/** The state of the open menu, and what opens and closes it. */
// Longer than a screen: the keyboard and focus of a menu share its state.
function useMenu() {
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
  return { open, setOpen, root, button, onKeyDown };
}

/** A box for each type. */
function TypeBoxes(props: {
  types: Types;
  onTypes(types: Types): void;
}): JSX.Element {
  const { types, onTypes } = props;
  const { trans } = React.useContext(Shared);
  return (
    <div role="group" aria-label={trans.__('Types')}>
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
    </div>
  );
}

/** A box for each sender; at most one is checked. */
function SourceBoxes(props: {
  source: string | undefined;
  sources: readonly ISource[];
  onSource(source: string | null): void;
}): JSX.Element {
  const { source, sources, onSource } = props;
  const { times, trans } = React.useContext(Shared);
  const chosen = source?.toLowerCase();
  // A search has no blanks around a name.
  const isChosen = (name: string) => name.trim().toLowerCase() === chosen;
  return (
    <div
      className="jp-NotifySources"
      role="group"
      aria-label={trans.__('Senders')}
    >
      {sources.map(({ name, count }) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={isChosen(name)}
            onChange={event => onSource(event.target.checked ? name : null)}
          />
          <bdi className="jp-NotifySources-name">{visible(name)}</bdi>
          {count !== null && (
            <span className="jp-NotifySources-count">
              {times.number.format(count)}
            </span>
          )}
        </label>
      ))}
    </div>
  );
}
