/**
 * Do not disturb in the settings: its state, and the buttons that change it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';

import { useSignal } from '../components/hooks';
import { SettingGroup } from '../components/settingGroup';
import { untilText } from '../text/until';
import type { INotificationModel } from '../tokens';

/**
 * The state that the server keeps, and buttons for the commands.
 */
export function DoNotDisturbField(props: {
  commands: CommandRegistry;
  /** The command, and the choices for its argument, with a button for each. */
  command: string;
  choices: readonly string[];
  model: INotificationModel;
  schema: { title?: string; description?: string };
  trans: TranslationBundle;
}): JSX.Element {
  const { choices, command, commands, model, schema, trans } = props;
  const quiet = useSignal(model.stateChanged, () => model.quiet);
  const isOn = quiet?.doNotDisturb === true;
  const until = quiet?.until;
  return (
    <SettingGroup
      id="jp-notify-quiet"
      title={schema.title}
      description={schema.description}
    >
      <p className="jp-FormGroup-description" role="status">
        <bdi>
          {!isOn
            ? trans.__('It is off.')
            : until
              ? trans.__(
                  'It is on until %1.',
                  untilText(new Date(until), new Date(model.now()))
                )
              : trans.__('It is on until you turn it off.')}
        </bdi>
      </p>
      <div className="jp-NotifySetting-buttons">
        {choices
          .filter(each => isOn || each !== 'off')
          .map(each => (
            <button
              key={each}
              type="button"
              className="jp-mod-styled jp-mod-reject"
              onClick={() => void commands.execute(command, { for: each })}
            >
              {commands.label(command, { for: each })}
            </button>
          ))}
      </div>
    </SettingGroup>
  );
}
