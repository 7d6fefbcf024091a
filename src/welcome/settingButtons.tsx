/**
 * The buttons of welcome messages in the settings.
 */
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import '../../style/settings.css';

/**
 * The buttons, which run the commands.
 */
export function SettingButtons(props: {
  commands: CommandRegistry;
  /** The ids of the commands that they run. */
  ids: readonly string[];
  description?: string;
}): JSX.Element {
  const { commands, ids } = props;
  return (
    <div className="jp-NotifySetting">
      <p className="jp-FormGroup-description">{props.description}</p>
      <div className="jp-NotifySetting-buttons">
        {ids.map(command => (
          <button
            key={command}
            type="button"
            className="jp-mod-styled jp-mod-reject"
            title={commands.caption(command)}
            onClick={() => void commands.execute(command)}
          >
            {commands.label(command)}
          </button>
        ))}
      </div>
    </div>
  );
}
