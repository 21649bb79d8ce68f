-- Scripts of this folder are executed in the order of their names after the migrations and after rebuilt tables were moved
-- in, any number of times, each as a whole. A view or function whose columns change is dropped by a numbered migration first.

CREATE OR REPLACE VIEW dim_profile_queue AS
SELECT p.profile_id, p.revision, q.queue_id, q.rank, p.valid_from, p.valid_to, p.is_current
FROM dim_profile AS p CROSS JOIN LATERAL jsonb_array_elements_text(p.queues::jsonb) WITH ORDINALITY AS q (queue_id, rank);

COMMENT ON VIEW dim_profile_queue IS 'Which queues a profile serves: one row for each queue of each version of a profile.';
COMMENT ON COLUMN dim_profile_queue.profile_id IS 'Of dim_profile.';
COMMENT ON COLUMN dim_profile_queue.revision IS 'Of the version in dim_profile.';
COMMENT ON COLUMN dim_profile_queue.queue_id IS 'Of dim_queue.';
COMMENT ON COLUMN dim_profile_queue.rank IS 'Place of the queue among those of the profile, from 1.';
COMMENT ON COLUMN dim_profile_queue.valid_from IS 'Time from which the version holds.';
COMMENT ON COLUMN dim_profile_queue.valid_to IS 'Time until which the version held, exclusive; NULL while it holds.';
COMMENT ON COLUMN dim_profile_queue.is_current IS 'Whether the version holds now.';
