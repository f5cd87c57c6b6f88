import { type Payout, payoutsInScope } from '../../payouts/index.js';
import { type Answered, isUsable, takeAnswers } from '../answers/answers.js';
import { type Desk, decideNow } from '../desk.js';
import { callChannel } from '../health/health.js';
import { takeNews } from '../news/news.js';
import { channelOf, groupBy } from '../rules.js';
import { sendAgain } from './send.js';

const ASK_MAX = 500;

/** Reads the feeds, and asks after the payouts of a shard whose time has come. Answers how many were asked after. */
export async function pollDue(desk: Desk, shardId: number): Promise<number> {
  await takeNews(desk);
  for (let asked = 0; ; ) {
    const dueMs = desk.rt.clock.now();
    const due = await desk.rt.db.read('payouts-to-ask', (tx) =>
      payoutsInScope(tx, { shardId, states: ['sent', 'unknown'], dueMs }, ASK_MAX),
    );
    if (due.length === 0) return asked;
    await sendAgain(desk, await ask(desk, due));
    asked += due.length;
    if (due.length < ASK_MAX) return asked;
  }
}

/** Asks the channels what became of payouts, and acts on it. Answers those that their channel never received. */
export async function ask(desk: Desk, payouts: readonly Payout[]): Promise<Payout[]> {
  const groups = [...groupBy(payouts, channelOf)];
  const answered = await Promise.all(
    groups.map(async ([channel, group]): Promise<Answered[]> => {
      const asked = group.map((payout) => payout.id);
      const answers = await callChannel(desk, channel, () => desk.channels.channels[channel].query(asked), isUsable);
      return group.map((payout, place) => ({ payout, answer: answers[place] as Answered['answer'] }));
    }),
  );
  const { directives, neverReceived } = await takeAnswers(desk, answered.flat());
  await decideNow(desk, directives);
  return neverReceived;
}
