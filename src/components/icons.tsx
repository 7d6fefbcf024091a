/**
 * The small pictures of the center; their colours are the theme's, by class.
 */
import * as React from 'react';

import type { Notification } from '../wire';

/**
 * The icon of a notification's type; a ring that fills for what is in progress.
 */
export function TypeIcon(props: {
  type: Notification['type'];
  progress?: number | null;
}): JSX.Element {
  const { type, progress } = props;
  return (
    <svg
      className={`jp-NotifyIcon jp-NotifyIcon-${type}`}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      {type === 'in-progress' ? (
        <Ring progress={progress ?? null} />
      ) : type === 'warning' ? (
        <>
          <path
            className="jp-NotifyIcon-shape"
            d="M10.3 3.2a2 2 0 0 1 3.4 0l8.6 14.8a2 2 0 0 1-1.7 3H3.4a2 2 0 0 1-1.7-3z"
          />
          <path className="jp-NotifyIcon-sign" d="M12 8.5v5.2m0 3.1v.4" />
        </>
      ) : (
        <>
          <circle className="jp-NotifyIcon-shape" cx="12" cy="12" r="10.5" />
          <path className="jp-NotifyIcon-sign" d={SIGNS[type]} />
        </>
      )}
    </svg>
  );
}

const SIGNS: Record<string, string> = {
  error: 'M12 6.6v6.6m0 3.8v.4',
  info: 'M12 11v6.2M12 6.8v.4',
  success: 'm7.2 12.4 3.2 3.2 6.2-6.8',
  default: 'M8 9.7h8M8 14.3h5'
};

/** The circumference of a circle of radius 8.5. */
const ROUND = 2 * Math.PI * 8.5;

function Ring(props: { progress: number | null }): JSX.Element {
  const { progress } = props;
  return (
    <g className={progress === null ? 'jp-NotifyIcon-spin' : undefined}>
      <circle className="jp-NotifyIcon-track" cx="12" cy="12" r="8.5" />
      <circle
        className="jp-NotifyIcon-ring"
        cx="12"
        cy="12"
        r="8.5"
        transform="rotate(-90 12 12)"
        strokeDasharray={`${ROUND * (progress ?? 0.25)} ${ROUND}`}
      />
    </g>
  );
}

/** The lines of pictures, in a box of 24 × 24; they take the colour of their button. */
const PATHS = {
  allRead: 'm1.5 12.5 5 5L17 7m-5.5 9 1.5 1.5L22.5 7',
  done: 'M4 5h16v4H4zm1.5 4v10h13V9M10 13h4',
  doneAll: 'M6 3h12M4 6.5h16v4H4zm1.5 4V20h13v-9.5M10 14h4',
  close: 'm6 6 12 12M18 6 6 18',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  dot: 'M12 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  caret: 'm7 9.5 5 5 5-5',
  back: 'M4 13.5h4l1.5 3h5l1.5-3h4M4 13.5V19h16v-5.5M4 13.5l2.5-8h11l2.5 8',
  more: 'M12 5a.6.6 0 1 0 .01 0zm0 6.4a.6.6 0 1 0 .01 0zm0 6.4a.6.6 0 1 0 .01 0z',
  snooze: 'M12 4a8.2 8.2 0 1 0 .01 0zm0 3.6v4.9l3.2 1.9',
  filter: 'M4 7h16M7.5 12h9m-5.5 5h2',
  up: 'M12 19V5.5m-6 6 6-6 6 6'
};

/** The name of a picture. */
export type GlyphName = keyof typeof PATHS;

/**
 * The picture of a button.
 */
export function Glyph(props: { name: GlyphName }): JSX.Element {
  return (
    <svg
      className="jp-NotifyGlyph"
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[props.name]} />
    </svg>
  );
}

/**
 * A button that shows only a picture.
 */
export const IconButton = React.forwardRef<
  HTMLButtonElement,
  React.ButtonHTMLAttributes<HTMLButtonElement> & {
    label: string;
    hint?: string;
  }
>((props, ref) => {
  const { label, hint, className, children, ...rest } = props;
  return (
    <button
      ref={ref}
      type="button"
      className={`jp-NotifyButton ${className ?? ''}`}
      aria-label={label}
      title={hint ? `${label} (${hint})` : label}
      {...rest}
    >
      {children}
    </button>
  );
});
IconButton.displayName = 'IconButton';
