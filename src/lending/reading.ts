import { type Id, Refused, refuse } from '../kernel/index.js';
import { loadBook } from '../ledger/index.js';
import type { Tx } from '../runtime/index.js';
import { wordsOf } from './confirm-store.js';
import { compensationRecords } from './records.js';
import type { Project } from './rules.js';
import { findProject } from './store.js';
import type { ProjectView } from './wire.js';

/** @throws Refused PROJECT_NOT_FOUND, also for another platform's than `owner` */
export async function requireProject(tx: Tx, id: Id, owner: Id | undefined): Promise<Project> {
  const project = await findProject(tx, id);
  if (project === undefined || (owner !== undefined && project.platformId !== owner))
    throw new Refused(refuse('PROJECT_NOT_FOUND'));
  return project;
}

/** A project with all that is said of it, as of the open business date of its book. */
export async function viewProject(tx: Tx, id: Id, owner: Id | undefined): Promise<ProjectView> {
  const project = await requireProject(tx, id, owner);
  const { businessDate: on } = await loadBook(tx, project.platformId);
  const compensations = (await compensationRecords.load(tx, [id])).get(id)?.paid ?? [];
  return { project, on, compensations, words: await wordsOf(tx, id) };
}
