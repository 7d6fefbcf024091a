/**
 * The buttons of welcome messages in the settings.
 */
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { SettingGroup } from '../components/settingGroup';

/**
 * The buttons, which run the commands.
 */
export function SettingButtons(props: {
  commands: CommandRegistry;
  /** The ids of the commands that they run. */
  ids: readonly string[];
  schema: { title?: string; description?: string };
}): JSX.Element {
  const { commands, ids, schema } = props;
  return (
    <SettingGroup
      id="jp-notify-welcome-setting"
      title={schema.title}
      description={schema.description}
    >
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
    </SettingGroup>
  );
}
