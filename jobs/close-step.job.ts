import { closeStep, stepOfKey } from '../src/clearing/index.js';
import type { JobDefinition } from './job.js';

export const closeStepJob: JobDefinition = {
  name: 'close-step',
  en: 'runs one step of the close of a day with a large clearing, if it is its turn; key: platform, date and step',
  zh: '日终步骤',
  concurrency: 4,
  run: (desk, key) => closeStep(desk, stepOfKey(key)),
};
