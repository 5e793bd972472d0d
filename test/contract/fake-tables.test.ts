import { FakeTables } from '../fakes/fake-tables.ts';
import { describeTables } from './tables-contract.ts';

const tables = new FakeTables();
describeTables(() => tables);
