-- The build of a view that is shown now. $1 view
SELECT build FROM es_projection WHERE projection = $1 AND status = 'live'
