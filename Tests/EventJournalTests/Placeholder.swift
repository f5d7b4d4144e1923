// EventJournalTests
