/**
 * The bar above the list: the views, the search, the filters.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import type { NotificationModel } from '../tokens';
import { FilterMenu } from './filterMenu';
import { parse, withSource, withTypes } from './query';
import { classes } from './row';
import { SearchField } from './searchField';
import type { ISource } from './sources';

type View = NotificationModel.IQuery['view'];

/**
 * The filter bar.
 */
export function FilterBar(props: {
  view: View;
  /** True if anything is snoozed: only then is there a view for it. */
  hasSnoozed: boolean;
  search: string;
  /** The senders that are known. */
  sources: readonly ISource[];
  searchRef: React.RefObject<HTMLInputElement>;
  onView(view: View): void;
  onSearch(search: string): void;
  /** Down from the search field goes to the list. */
  onLeave(): void;
}): JSX.Element {
  const { view, search, sources, onSearch } = props;
  return (
    <div className="jp-NotifyFilter">
      <Views view={view} hasSnoozed={props.hasSnoozed} onView={props.onView} />
      <div className="jp-NotifyFilter-search">
        <SearchField
          search={search}
          sources={sources}
          fieldRef={props.searchRef}
          onSearch={onSearch}
          onLeave={props.onLeave}
        />
        <FilterMenu
          query={parse(search, view)}
          sources={sources}
          onTypes={types => onSearch(withTypes(search, types))}
          onSource={source => onSearch(withSource(search, source))}
          onClear={() => onSearch(withSource(withTypes(search, []), null))}
        />
      </div>
    </div>
  );
}

/** The names of the lists; the user chooses the list that is shown. */
function Views(props: {
  view: View;
  hasSnoozed: boolean;
  onView(view: View): void;
}): JSX.Element {
  const { view, onView } = props;
  const { trans } = React.useContext(Shared);
  const views: [View, string][] = [
    ['inbox', trans.__('Inbox')],
    ['unread', trans.__('Unread')],
    ['dismissed', trans.__('Done')]
  ];
  if (props.hasSnoozed || view === 'snoozed') {
    views.push(['snoozed', trans.__('Snoozed')]);
  }
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
