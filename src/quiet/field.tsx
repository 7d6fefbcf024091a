/**
 * The fields of the settings that the server keeps, by the name of their setting.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { INotificationModel } from '../tokens';
import { ChannelsField } from './channelsField';
import { DoNotDisturbField } from './doNotDisturbField';
import { MutedField } from './mutedField';

/**
 * One of the fields.
 */
export function Field(props: {
  name: 'doNotDisturb' | 'mutedSources' | 'channels';
  app: JupyterFrontEnd;
  /** The command of do not disturb, and the choices for its argument. */
  command: string;
  choices: readonly string[];
  model: INotificationModel;
  schema: { title?: string; description?: string };
  trans: TranslationBundle;
}): JSX.Element {
  const { name, app, command, choices, model, schema, trans } = props;
  const shared = { model, schema, trans };
  if (name === 'channels') {
    const { serverSettings } = app.serviceManager;
    return <ChannelsField {...{ schema, serverSettings, trans }} />;
  }
  return name === 'mutedSources' ? (
    <MutedField {...shared} />
  ) : (
    <DoNotDisturbField
      {...{ ...shared, command, choices, commands: app.commands }}
    />
  );
}
