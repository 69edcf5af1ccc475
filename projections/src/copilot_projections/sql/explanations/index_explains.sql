-- What was said of one event is looked for by the event.
CREATE INDEX ASYNC IF NOT EXISTS view_explanations__build_explains ON view_explanations__build (cluster, explains);
