/**
 * One message of the banner.
 */
import * as React from 'react';

import { Shared } from '../components/context';
import { Glyph, IconButton, TypeIcon } from '../components/icons';
import { Actions, Body, Summary } from '../components/message';
import { Reply } from '../components/reply';
import { typeLabel } from '../text/labels';
import { senderOf } from '../text/sender';
import type { Notification } from '../wire';
import { Countdown } from './countdown';

/**
 * The state of a message in the banner.
 */
export interface IItemProps {
  row: Notification;
  open: boolean;
  onToggle(): void;
  onClose(): void;
  onDone(): void;
}

/**
 * A message: its line with its buttons, and below it its text while it is open.
 */
export function Item(props: IItemProps): JSX.Element {
  const { row, open } = props;
  const id = `jp-notify-banner-${row.id}`;
  const details = open && hasMore(row);
  return (
    <li
      className={`jp-NotifyBanner-item jp-mod-${row.type} ${
        open ? 'jp-mod-open' : ''
      }`}
      data-id={row.id}
    >
      <Line {...props} id={id} details={details} />
      {details && (
        <div
          id={`${id}-details`}
          className="jp-NotifyBanner-details"
          role="group"
          aria-labelledby={id}
          // It scrolls, so a keyboard has to reach it.
          tabIndex={0}
        >
          {row.hasBody && <Body row={row} />}
          <Reply row={row} />
        </div>
      )}
      {row.type === 'in-progress' && (
        <Progress value={row.progress} labelledBy={id} />
      )}
    </li>
  );
}

/** Tell if there is something to show below the line. */
function hasMore(row: Notification): boolean {
  return row.hasBody || row.reply !== null;
}

/** The line of a message, which is always in sight. */
// Longer than a screen: what stands in the line, from left to right.
function Line(
  props: IItemProps & { id: string; details: boolean }
): JSX.Element {
  const { row, open, id, details, onToggle } = props;
  const { trans } = React.useContext(Shared);
  const line = React.useRef<HTMLDivElement>(null);
  const cut = useCut(line, open, row.message);
  return (
    <div className="jp-NotifyBanner-line">
      <TypeIcon type={row.type} progress={row.progress} />
      <div className="jp-NotifyBanner-text" ref={line}>
        <span className="jp-NotifyHidden">
          {trans.__('%1:', typeLabel(row.type, trans))}
        </span>
        <Summary
          row={row}
          // Links can be followed in a message without details too.
          links
          whole={open}
          id={id}
          className="jp-NotifyBanner-summary"
        />
      </div>
      {row.countdown && <Countdown until={row.countdown} />}
      <span className="jp-NotifyBanner-source" title={senderOf(row, trans)}>
        <bdi>{senderOf(row, trans)}</bdi>
      </span>
      {row.actions.length > 0 && <Actions row={row} />}
      <div className="jp-NotifyBanner-tools">
        {(hasMore(row) || cut || open) && (
          <button
            type="button"
            className="jp-NotifyBanner-button"
            aria-expanded={open}
            aria-controls={details ? `${id}-details` : undefined}
            aria-describedby={id}
            onClick={onToggle}
          >
            {open
              ? trans.__('Hide details')
              : row.reply && row.answer === null && row.stopped === null
                ? trans.__('Answer…')
                : trans.__('Details')}
          </button>
        )}
        {row.dismissable ? (
          <>
            <IconButton
              label={trans.__('Done')}
              aria-describedby={id}
              onClick={props.onDone}
            >
              <Glyph name="done" />
            </IconButton>
            <IconButton
              label={trans.__('Close')}
              aria-describedby={id}
              onClick={props.onClose}
            >
              <Glyph name="close" />
            </IconButton>
          </>
        ) : (
          // As wide as these buttons, so that everything to the left of them lines up.
          <span className="jp-NotifyBanner-noTools" />
        )}
      </div>
    </div>
  );
}

/** The progress, along the lower edge. */
function Progress(props: {
  value: number | null;
  labelledBy: string;
}): JSX.Element {
  const { value, labelledBy } = props;
  return (
    <div
      className={`jp-NotifyBanner-progress ${value === null ? 'jp-mod-unknown' : ''}`}
      role="progressbar"
      aria-labelledby={labelledBy}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value === null ? undefined : Math.round(value * 100)}
    >
      <span style={value === null ? undefined : { width: `${value * 100}%` }} />
    </div>
  );
}

/** Tell if a line had to be cut; while the message is open, the last result stays. */
function useCut(
  line: React.RefObject<HTMLDivElement>,
  open: boolean,
  text: string
): boolean {
  const [cut, setCut] = React.useState(false);
  React.useLayoutEffect(() => {
    const summary = line.current?.querySelector('.jp-NotifySummary');
    if (open || !summary) {
      return;
    }
    const measure = () => {
      setCut(
        summary.scrollHeight > summary.clientHeight + 1 ||
          summary.scrollWidth > summary.clientWidth + 1
      );
    };
    const sizes = new ResizeObserver(measure);
    sizes.observe(summary);
    measure();
    return () => sizes.disconnect();
  }, [open, text]);
  return cut;
}
