-- Reference data: every installation has it, in the global scope, and every user may read it (R3).
-- The standard workflow is reference data too; it stands with its table, since the checks on tasks need it.

insert into public.best_practices (id, workspace_id, name, description, category, content)
values
  ('00000000-0000-7000-8000-000000000101', '00000000-0000-7000-8000-000000000000',
   'Plan before code',
   'Write the plan into the task before the first change, so that a person can correct the direction while it is cheap.',
   'workflow',
   '{"steps": ["Restate the goal in your own words", "List the files and interfaces that change", "Say how it will be tested", "Name what you are unsure of"]}'),
  ('00000000-0000-7000-8000-000000000102', '00000000-0000-7000-8000-000000000000',
   'Leave a trail in the feed',
   'Whoever comes next, a person or an agent, should see what was tried, what was found and what is left.',
   'communication',
   '{"do": "Retry now honours Retry-After; the load test is still missing.", "avoid": "Fixed."}'),
  ('00000000-0000-7000-8000-000000000103', '00000000-0000-7000-8000-000000000000',
   'Prove it with a test that failed before',
   'A test that has never failed proves nothing. See it fail for the right reason, then make it pass.',
   'testing',
   '{"steps": ["Write the test", "See it fail", "Make the change", "See it pass", "Run the others"]}'),
  ('00000000-0000-7000-8000-000000000104', '00000000-0000-7000-8000-000000000000',
   'Small changes, one purpose each',
   'A change that does one thing can be reviewed, reverted and understood a year later.',
   'review',
   '{"limit": "About 400 changed lines for each review"}')
on conflict (id) do nothing;
