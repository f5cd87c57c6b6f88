export { type Position, type Routable, type Route, standingOf } from './rules.js';
export { loadChannelTable, routeBatch } from './temporary.js';
