import { executeShard } from '../src/instructions/index.js';
import type { JobDefinition } from './job.js';

export const executeShardJob: JobDefinition = {
  name: 'execute-shard',
  en: 'decides what a shard has received; key: the shard',
  zh: '执行分片内已受理的指令',
  concurrency: 4,
  run: async ({ rt }, key) => executeShard(rt, Number(key)),
};
