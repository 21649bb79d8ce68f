-- Scripts of this folder are executed in the order of their names after the migrations, any number of times. The views and
-- their columns are those of PostgreSQL, where each is explained by a comment.

DROP VIEW IF EXISTS dim_profile_queue;
CREATE VIEW dim_profile_queue AS
SELECT p.profile_id, p.revision, q.value AS queue_id, q.key + 1 AS rank, p.valid_from, p.valid_to, p.is_current
FROM dim_profile AS p, json_each(p.queues) AS q;
