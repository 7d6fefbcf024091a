/**
 * The question of a message, as buttons and a field, and its answer. The center's rows and the
 * banner show it.
 */
import * as React from 'react';

import { visible } from '../text/visible';
import { LIMITS, type Notification, type ReplyRequest } from '../wire';
import { Shared } from './context';
import { Glyph } from './icons';
import '../../style/reply.css';

/**
 * The props of {@link Reply}.
 */
export interface IReplyProps {
  row: Notification;
  tab?: number;
  /** Make room for the field; not given if there is room. */
  onWrite?(): void;
}

/**
 * The question of a message; nothing if it asks none.
 */
// Longer than a screen: the buttons, the field and the answer are one state.
export function Reply(props: IReplyProps): JSX.Element | null {
  const { row, tab } = props;
  const { model, fail, trans, times } = React.useContext(Shared);
  const [again, setAgain] = React.useState(false);
  const [busy, setBusy] = React.useState(false);
  const root = React.useRef<HTMLDivElement>(null);
  const moved = React.useRef(false);
  React.useLayoutEffect(() => {
    // The button that had the focus is gone: another one takes it.
    if (moved.current) {
      moved.current = false;
      (
        root.current?.querySelector<HTMLElement>('button, input') ??
        root.current
      )?.focus();
    }
  });
  if (!row.reply) {
    return null;
  }
  const answer = async (text: string): Promise<boolean> => {
    setBusy(true);
    try {
      await model.reply(row.id, text);
      moved.current = root.current?.contains(document.activeElement) ?? false;
      setAgain(false);
      return true;
    } catch (reason) {
      fail(reason);
      return false;
    } finally {
      setBusy(false);
    }
  };
  const answered = row.answer !== null && !again;
  const isGone = row.stopped !== null && row.answer === null;
  return (
    <div
      className="jp-NotifyReply"
      ref={root}
      tabIndex={-1}
      role="group"
      aria-label={trans.__('Answer')}
    >
      {answered ? (
        <p className="jp-NotifyReply-answer" role="status">
          <Glyph name="check" />
          <span
            dir="auto"
            title={times.exact(new Date(row.answered ?? row.updated))}
          >
            {trans.__('You answered:')} <bdi>{visible(row.answer!)}</bdi>
          </span>
          {/* A program has gone on with its answer, and an expired question is over. */}
          {row.origin !== 'ingest' && row.ended === null && (
            <button
              type="button"
              className="jp-NotifyLink"
              tabIndex={tab}
              onClick={() => {
                moved.current = true;
                setAgain(true);
              }}
            >
              {trans.__('Change')}
            </button>
          )}
        </p>
      ) : isGone ? (
        <p className="jp-NotifyReply-prompt" role="status">
          {trans.__('The program that asked is gone.')}
        </p>
      ) : (
        <Question {...props} asked={row.reply} busy={busy} onAnswer={answer} />
      )}
    </div>
  );
}

/** The question, the answers to choose from, and the field for another one. */
function Question(
  props: IReplyProps & {
    asked: ReplyRequest;
    busy: boolean;
    onAnswer(text: string): Promise<boolean>;
  }
): JSX.Element {
  const { row, tab, onWrite, asked, busy, onAnswer } = props;
  const { trans } = React.useContext(Shared);
  const id = `jp-notify-prompt-${row.id}`;
  return (
    <>
      {asked.prompt && (
        <p className="jp-NotifyReply-prompt" id={id} dir="auto">
          {visible(asked.prompt)}
        </p>
      )}
      <div className="jp-NotifyReply-choices">
        {(asked.choices ?? []).map(choice => (
          <button
            key={choice}
            type="button"
            tabIndex={tab}
            className="jp-NotifyAction jp-NotifyAction-plain"
            aria-describedby={asked.prompt ? id : undefined}
            aria-pressed={
              row.answer === null ? undefined : row.answer === choice
            }
            aria-disabled={busy}
            onClick={() => busy || void onAnswer(choice)}
          >
            <bdi className="jp-NotifyAction-label">{visible(choice)}</bdi>
          </button>
        ))}
        {asked.text && onWrite && (
          <button
            type="button"
            tabIndex={tab}
            className="jp-NotifyAction jp-NotifyLink"
            onClick={onWrite}
          >
            {trans.__('Write an answer…')}
          </button>
        )}
      </div>
      {asked.text && !onWrite && (
        <Field {...props} labelledBy={asked.prompt ? id : undefined} />
      )}
    </>
  );
}

/** A field for the user's own words; a draft is kept while the row is out of sight. */
function Field(props: {
  row: Notification;
  tab?: number;
  busy: boolean;
  labelledBy?: string;
  onAnswer(text: string): Promise<boolean>;
}): JSX.Element {
  const { row, tab, busy, labelledBy, onAnswer } = props;
  const { drafts, times, trans } = React.useContext(Shared);
  const [text, setText] = React.useState(drafts.get(row.id) ?? '');
  const write = (next: string) => {
    drafts.set(row.id, next);
    setText(next);
  };
  const answer = text.trim();
  // As the server counts.
  const length = [...answer].length;
  const isLong = length > LIMITS.answer;
  const isHeld = busy || answer === '' || isLong;
  const problem = `jp-notify-answer-${row.id}`;
  return (
    <form
      className="jp-NotifyReply-field"
      onSubmit={event => {
        event.preventDefault();
        if (!isHeld) {
          void onAnswer(answer).then(done => done && drafts.delete(row.id));
        }
      }}
    >
      <input
        type="text"
        dir="auto"
        tabIndex={tab}
        value={text}
        placeholder={trans.__('Your answer')}
        aria-label={labelledBy ? undefined : trans.__('Your answer')}
        aria-labelledby={labelledBy}
        aria-invalid={isLong}
        aria-describedby={isLong ? problem : undefined}
        onChange={event => write(event.target.value)}
      />
      <button
        type="submit"
        tabIndex={tab}
        className="jp-NotifyAction jp-mod-styled jp-mod-accept"
        aria-disabled={isHeld}
      >
        {trans.__('Send')}
      </button>
      {isLong && (
        <p className="jp-NotifyReply-problem" id={problem} role="alert">
          {trans.__(
            'The answer has %1 characters. It may have %2.',
            times.number.format(length),
            times.number.format(LIMITS.answer)
          )}
        </p>
      )}
    </form>
  );
}
