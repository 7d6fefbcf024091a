/**
 * The field of the settings that turns desktop notifications on and off.
 */
import * as React from 'react';

import '../../style/settings.css';

/**
 * A box, and below it why it cannot be checked.
 */
export function SettingField(props: {
  checked: boolean;
  title: string;
  problem(): string | null;
  /** Turn them on or off; resolves with the reason if they cannot be. */
  onToggle(wanted: boolean): Promise<string | null>;
}): JSX.Element {
  const [failure, setFailure] = React.useState<string | null>(null);
  return (
    <div className="jp-NotifySetting">
      <label>
        <input
          type="checkbox"
          checked={props.checked}
          onChange={event =>
            void props.onToggle(event.target.checked).then(setFailure)
          }
        />
        {props.title}
      </label>
      <p role="status" className="jp-NotifySetting-problem">
        {failure ?? props.problem()}
      </p>
    </div>
  );
}
