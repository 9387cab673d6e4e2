-- The SQLite schema after all migrations. Written by `npm run schema`; compared with them by a test.

CREATE TABLE agent_logs (
  id char(36),
  owner varchar(255) not null,
  kind varchar(255) not null,
  agent_type varchar(255) not null,
  session_id char(36) null,
  task text not null,
  status varchar(255) not null,
  fencing_token integer not null,
  attempts integer not null,
  worker varchar(255) not null,
  result text null,
  usage text null,
  error_code varchar(255) null,
  error_message text null,
  last_seq integer null,
  execution_time_ms integer null,
  created_at varchar(30) not null,
  started_at varchar(30) not null,
  finished_at varchar(30) null,
  metadata text null,
  waited_ms integer not null default '0',
  request text null,
  timeline text null,
  foreign key(session_id) references sessions(id) on delete CASCADE,
  primary key (id)
);

CREATE INDEX agent_logs_failed on agent_logs (kind, finished_at) where status = 'failed';

CREATE INDEX agent_logs_of_sessions on agent_logs (session_id, finished_at);

CREATE INDEX agent_logs_owner_id_index on agent_logs (owner, id);

CREATE INDEX agent_logs_queries on agent_logs (finished_at) where agent_type = 'knowledge.query';

CREATE INDEX agent_logs_running on agent_logs (id) where status = 'running';

CREATE TABLE agent_steps (
  job_id char(36) not null,
  step_no integer not null,
  step_key varchar(64) not null,
  kind varchar(255) not null,
  input text null,
  status varchar(255) not null,
  value text null,
  fencing_token integer not null,
  started_at varchar(30) not null,
  finished_at varchar(30) null,
  foreign key(job_id) references agent_logs(id) on delete CASCADE,
  primary key (job_id, step_no)
);

CREATE UNIQUE INDEX agent_steps_job_id_step_key_unique on agent_steps (job_id, step_key);

CREATE TABLE collections (
  id char(36),
  owner varchar(255) not null,
  name varchar(255) not null,
  embedding varchar(255) not null,
  created_at varchar(30) not null,
  primary key (id)
);

CREATE UNIQUE INDEX collections_owner_name_unique on collections (owner, name);

CREATE TABLE documents (
  id char(36),
  collection_id char(36) not null,
  owner varchar(255) not null,
  source varchar(300) not null,
  version varchar(64) not null,
  format varchar(255) not null,
  bytes integer not null,
  chunks integer not null,
  metadata text not null,
  job_id char(36) not null,
  copy_id char(36) not null,
  created_at varchar(30) not null,
  updated_at varchar(30) not null,
  foreign key(collection_id) references collections(id) on delete CASCADE,
  primary key (id)
);

CREATE INDEX documents_collection_id_chunks_index on documents (collection_id, chunks);

CREATE INDEX documents_collection_id_copy_id_index on documents (collection_id, copy_id);

CREATE INDEX documents_collection_id_created_at_id_index on documents (collection_id, created_at, id);

CREATE UNIQUE INDEX documents_collection_id_source_unique on documents (collection_id, source);

CREATE TABLE inquiries (
  job_id char(36) not null,
  request_id varchar(255) not null,
  inquiry text not null,
  expires_at varchar(30) not null,
  decision text null,
  foreign key(job_id) references agent_logs(id) on delete CASCADE,
  primary key (job_id, request_id)
);

CREATE INDEX inquiries_open on inquiries (expires_at) where decision is null;

CREATE TABLE installation (
  id char(36),
  created_at varchar(30) not null,
  primary key (id)
);

CREATE TABLE job_inputs (
  job_id char(36),
  inputs text not null,
  foreign key(job_id) references agent_logs(id) on delete CASCADE,
  primary key (job_id)
);

CREATE TABLE message_parts (
  job_id char(36),
  bytes integer not null,
  parts text not null,
  foreign key(job_id) references agent_logs(id) on delete CASCADE,
  primary key (job_id)
);

CREATE TABLE messages (
  id char(36),
  session_id char(36) not null,
  job_id char(36) not null,
  ordinal integer not null,
  role varchar(255) not null,
  content text not null,
  tokens_used integer not null,
  metadata text not null,
  created_at varchar(30) not null,
  open_turn text null,
  foreign key(session_id) references sessions(id) on delete CASCADE,
  foreign key(job_id) references agent_logs(id) on delete CASCADE,
  primary key (id)
);

CREATE INDEX messages_job_id_index on messages (job_id);

CREATE UNIQUE INDEX messages_once_per_job on messages (job_id, role) where role in ('user', 'assistant');

CREATE UNIQUE INDEX messages_session_id_ordinal_unique on messages (session_id, ordinal);

CREATE TABLE reserved_ordinals (
  job_id char(36),
  session_id char(36) not null,
  ordinal integer not null,
  room integer not null default '2',
  foreign key(session_id) references sessions(id) on delete CASCADE,
  primary key (job_id)
);

CREATE UNIQUE INDEX reserved_ordinals_session_id_ordinal_unique on reserved_ordinals (session_id, ordinal);

CREATE TABLE sessions (
  id char(36),
  owner varchar(255) not null,
  agent_type varchar(255) not null,
  config text not null,
  metadata text not null,
  created_at varchar(30) not null,
  updated_at varchar(30) not null,
  title text null,
  primary key (id)
);

CREATE INDEX sessions_by_time on sessions (owner, created_at, id);

CREATE INDEX sessions_updated_at on sessions (updated_at);

CREATE TABLE suspended_jobs (
  job_id char(36),
  suspended_at integer not null,
  last_seq integer not null,
  payload text not null,
  options text not null,
  foreign key(job_id) references agent_logs(id) on delete CASCADE,
  primary key (job_id)
);

CREATE TABLE unreferenced_copies (
  id char(36),
  collection_id char(36) not null,
  document_id char(36) not null,
  owner varchar(255) not null,
  state varchar(255) not null,
  foreign key(collection_id) references collections(id) on delete CASCADE,
  primary key (id)
);

CREATE INDEX stray_copies_collection_id_index on unreferenced_copies (collection_id);

CREATE TABLE whole_turns (
  job_id char(36),
  bytes integer not null,
  turns text not null,
  foreign key(job_id) references agent_logs(id) on delete CASCADE,
  primary key (job_id)
);
