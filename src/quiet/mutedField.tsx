/**
 * The list of muted sources in the settings, each with a button that unmutes it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { useSignal } from '../components/hooks';
import { SettingGroup } from '../components/settingGroup';
import { visible } from '../text/visible';
import type { INotificationModel } from '../tokens';
import { mute } from './quiet';

/**
 * The sources, which the server keeps.
 */
export function MutedField(props: {
  model: INotificationModel;
  schema: { title?: string; description?: string };
  trans: TranslationBundle;
}): JSX.Element {
  const { model, schema, trans } = props;
  const quiet = useSignal(model.stateChanged, () => model.quiet);
  const sources = quiet?.muted ?? [];
  return (
    <SettingGroup
      id="jp-notify-muted"
      title={schema.title}
      description={
        sources.length > 0
          ? schema.description
          : trans.__('No source is muted.')
      }
    >
      {sources.map(source => (
        <div key={source} className="jp-NotifySetting-buttons">
          <bdi className="jp-NotifySetting-source">{visible(source)}</bdi>
          <button
            type="button"
            className="jp-mod-styled jp-mod-reject"
            aria-label={trans.__('Unmute %1', visible(source))}
            onClick={() => void mute(model, trans, source, false)}
          >
            {trans.__('Unmute')}
          </button>
        </div>
      ))}
    </SettingGroup>
  );
}
