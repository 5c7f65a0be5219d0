-- app/schema.sql as it was at version 1, kept to test the migrations from there (test_migrate.py): it never changes.

-- The whole schema as a new database gets it. A change goes in twice, in one commit: here, and as the next numbered
-- file in migrations/ for the databases that exist (docs/decisions/schema.md).

-- ---------------------------------------------------------------------------------------------------- names
-- General MIDI's melodic programs, zero-based, in the sixteen families of eight.
CREATE TABLE instrument (
    program smallint PRIMARY KEY CHECK (program BETWEEN 0 AND 127),
    name    text NOT NULL UNIQUE,
    family  text NOT NULL
);
INSERT INTO instrument (program, name, family)
SELECT 8 * families.place + names.place - 1, names.name, families.family
FROM (VALUES
    (0, 'Piano', ARRAY[
        'Acoustic Grand Piano', 'Bright Acoustic Piano', 'Electric Grand Piano', 'Honky-tonk Piano',
        'Electric Piano 1', 'Electric Piano 2', 'Harpsichord', 'Clavinet']),
    (1, 'Chromatic Percussion', ARRAY[
        'Celesta', 'Glockenspiel', 'Music Box', 'Vibraphone', 'Marimba', 'Xylophone', 'Tubular Bells', 'Dulcimer']),
    (2, 'Organ', ARRAY[
        'Drawbar Organ', 'Percussive Organ', 'Rock Organ', 'Church Organ', 'Reed Organ', 'Accordion', 'Harmonica',
        'Tango Accordion']),
    (3, 'Guitar', ARRAY[
        'Acoustic Guitar (nylon)', 'Acoustic Guitar (steel)', 'Electric Guitar (jazz)', 'Electric Guitar (clean)',
        'Electric Guitar (muted)', 'Overdriven Guitar', 'Distortion Guitar', 'Guitar Harmonics']),
    (4, 'Bass', ARRAY[
        'Acoustic Bass', 'Electric Bass (finger)', 'Electric Bass (pick)', 'Fretless Bass', 'Slap Bass 1',
        'Slap Bass 2', 'Synth Bass 1', 'Synth Bass 2']),
    (5, 'Strings', ARRAY[
        'Violin', 'Viola', 'Cello', 'Contrabass', 'Tremolo Strings', 'Pizzicato Strings', 'Orchestral Harp', 'Timpani']),
    (6, 'Ensemble', ARRAY[
        'String Ensemble 1', 'String Ensemble 2', 'Synth Strings 1', 'Synth Strings 2', 'Choir Aahs', 'Voice Oohs',
        'Synth Choir', 'Orchestra Hit']),
    (7, 'Brass', ARRAY[
        'Trumpet', 'Trombone', 'Tuba', 'Muted Trumpet', 'French Horn', 'Brass Section', 'Synth Brass 1',
        'Synth Brass 2']),
    (8, 'Reed', ARRAY[
        'Soprano Sax', 'Alto Sax', 'Tenor Sax', 'Baritone Sax', 'Oboe', 'English Horn', 'Bassoon', 'Clarinet']),
    (9, 'Pipe', ARRAY[
        'Piccolo', 'Flute', 'Recorder', 'Pan Flute', 'Blown Bottle', 'Shakuhachi', 'Whistle', 'Ocarina']),
    (10, 'Synth Lead', ARRAY[
        'Lead 1 (square)', 'Lead 2 (sawtooth)', 'Lead 3 (calliope)', 'Lead 4 (chiff)', 'Lead 5 (charang)',
        'Lead 6 (voice)', 'Lead 7 (fifths)', 'Lead 8 (bass + lead)']),
    (11, 'Synth Pad', ARRAY[
        'Pad 1 (new age)', 'Pad 2 (warm)', 'Pad 3 (polysynth)', 'Pad 4 (choir)', 'Pad 5 (bowed)', 'Pad 6 (metallic)',
        'Pad 7 (halo)', 'Pad 8 (sweep)']),
    (12, 'Synth Effects', ARRAY[
        'FX 1 (rain)', 'FX 2 (soundtrack)', 'FX 3 (crystal)', 'FX 4 (atmosphere)', 'FX 5 (brightness)',
        'FX 6 (goblins)', 'FX 7 (echoes)', 'FX 8 (sci-fi)']),
    (13, 'Ethnic', ARRAY[
        'Sitar', 'Banjo', 'Shamisen', 'Koto', 'Kalimba', 'Bagpipe', 'Fiddle', 'Shanai']),
    (14, 'Percussive', ARRAY[
        'Tinkle Bell', 'Agogo', 'Steel Drums', 'Woodblock', 'Taiko Drum', 'Melodic Tom', 'Synth Drum',
        'Reverse Cymbal']),
    (15, 'Sound Effects', ARRAY[
        'Guitar Fret Noise', 'Breath Noise', 'Seashore', 'Bird Tweet', 'Telephone Ring', 'Helicopter', 'Applause',
        'Gunshot'])
) AS families (place, family, instruments), unnest(families.instruments) WITH ORDINALITY AS names (name, place);

-- Names of songs known from outside the files, by the stem of their files' names: Lakh's files are named by their MD5,
-- and md5_to_paths.json says what they are called.
CREATE TABLE song_name (
    stem text PRIMARY KEY,
    name text NOT NULL
);

-- ---------------------------------------------------------------------------------------------------- run ledger
-- One row per pipeline run, kept for good: what went in, with which parameters, how far it came, what came out.
CREATE TABLE run (
    run_id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source             text NOT NULL,
    source_fingerprint text NOT NULL,
    parameters         jsonb NOT NULL,
    code_version       text NOT NULL,
    state              text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'published')),
    stage_seconds      jsonb NOT NULL DEFAULT '{}',
    counts             jsonb,
    started_at         timestamptz NOT NULL DEFAULT now(),
    finished_at        timestamptz
);

-- A bounded piece of the source. `objects` is [[key, size in bytes, version], ...]. An executor scans a chunk and
-- marks it done in the transaction that writes its rows, so a chunk is written once however often it is tried.
CREATE TABLE chunk (
    run_id       bigint NOT NULL REFERENCES run ON DELETE CASCADE,
    chunk_id     integer NOT NULL,
    objects      jsonb NOT NULL,
    object_count integer NOT NULL,
    bytes        bigint NOT NULL,
    done_at      timestamptz,
    PRIMARY KEY (run_id, chunk_id)
);

-- What the scan read out of one file. `programs` (ascending) and `notes` run in parallel; `bits` as in instrument_set.
CREATE TABLE scanned_file (
    run_id           bigint NOT NULL,
    chunk_id         integer NOT NULL,
    key              text NOT NULL,
    size             bigint NOT NULL,
    version          text NOT NULL,
    hash             uuid NOT NULL,
    title            text NOT NULL,
    format           smallint NOT NULL,
    tracks           integer NOT NULL,
    division         integer NOT NULL,
    duration_seconds double precision NOT NULL,
    tempo_bpm        double precision NOT NULL,
    bits             bit(129) NOT NULL,
    programs         smallint[] NOT NULL,
    notes            integer[] NOT NULL,
    drum_notes       integer NOT NULL,
    warnings         text[] NOT NULL,
    PRIMARY KEY (run_id, key),
    FOREIGN KEY (run_id, chunk_id) REFERENCES chunk ON DELETE CASCADE
);

-- What could not be read, with one of the named reasons of midi/scan/song.py.
CREATE TABLE reject (
    run_id   bigint NOT NULL,
    chunk_id integer NOT NULL,
    key      text NOT NULL,
    size     bigint NOT NULL,
    version  text NOT NULL,
    reason   text NOT NULL,
    detail   text NOT NULL,
    PRIMARY KEY (run_id, key),
    FOREIGN KEY (run_id, chunk_id) REFERENCES chunk ON DELETE CASCADE
);

-- ---------------------------------------------------------------------------------------------------- index versions
-- A published (or to be published) result. Its rows live in one partition of each table below, made apart, attached
-- when its checks pass, dropped when it is collected.
CREATE TABLE index_version (
    index_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id     bigint NOT NULL REFERENCES run,
    state      text NOT NULL DEFAULT 'building' CHECK (state IN ('building', 'ready', 'failed')),
    songs      integer,
    sets       integer,
    neighbours bigint,
    digest     text,
    failure    text,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The one row the site reads first. Switching an index is one UPDATE of it.
CREATE TABLE current_index (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    index_id    bigint NOT NULL REFERENCES index_version,
    switched_at timestamptz NOT NULL DEFAULT now()
);

-- Distinct instrument sets. Bits 0-127 (from the left) are the melodic programs, bit 128 the drums; ordered by size.
CREATE TABLE instrument_set (
    index_id bigint NOT NULL,
    set_id   integer NOT NULL,
    bits     bit(129) NOT NULL,
    size     smallint NOT NULL,
    songs    integer NOT NULL,
    PRIMARY KEY (index_id, set_id),
    UNIQUE (index_id, bits)
) PARTITION BY LIST (index_id);

-- A song is a distinct content, however many files hold it. song_id is its rank by hash: dense, 0-based, repeatable.
CREATE TABLE song (
    index_id         bigint NOT NULL,
    song_id          integer NOT NULL,
    hash             uuid NOT NULL,
    set_id           integer NOT NULL,
    title            text NOT NULL,
    format           smallint NOT NULL,
    tracks           integer NOT NULL,
    division         integer NOT NULL,
    duration_seconds double precision NOT NULL,
    tempo_bpm        double precision NOT NULL,
    programs         smallint[] NOT NULL,
    notes            integer[] NOT NULL,
    drum_notes       integer NOT NULL,
    warnings         text[] NOT NULL,
    PRIMARY KEY (index_id, song_id),
    UNIQUE (index_id, hash)
) PARTITION BY LIST (index_id);
CREATE INDEX song_by_set ON song (index_id, set_id, song_id);

-- The files of the source that hold a song.
CREATE TABLE song_file (
    index_id bigint NOT NULL,
    key      text NOT NULL,
    song_id  integer NOT NULL,
    PRIMARY KEY (index_id, key)
) PARTITION BY LIST (index_id);
CREATE INDEX song_file_by_song ON song_file (index_id, song_id);
CREATE INDEX song_file_by_base_name ON song_file (index_id, (regexp_replace(key, '^.*/', '')));

-- A song's most similar songs, best first; scores in millionths (midi/likeness.py).
CREATE TABLE neighbour (
    index_id      bigint NOT NULL,
    song_id       integer NOT NULL,
    neighbour_ids integer[] NOT NULL,
    scores        integer[] NOT NULL,
    PRIMARY KEY (index_id, song_id)
) PARTITION BY LIST (index_id);

-- Ranges of songs whose neighbours are written, with the digest of their rows: the similarity stage's own ledger, in
-- the same manner as `chunk`.
CREATE TABLE neighbour_part (
    index_id   bigint NOT NULL REFERENCES index_version ON DELETE CASCADE,
    first_song integer NOT NULL,
    last_song  integer NOT NULL,
    digest     text NOT NULL,
    PRIMARY KEY (index_id, first_song)
);
