// Goal: names survive the way to dense ids and back, and bad ones are refused with a reason. Method: tables and round trips.
import TestSupport
import Testing
import TradingTypes

@Test(arguments: ["A", "BRK.B", "12345678", "123456789", "ABCDEFGHIJKLMNOP"])
func `a symbol reads back as it was spelt`(text: String) {
  #expect(Symbol(text)?.description == text)
  #expect(Symbol(text + "   ")?.description == text.prefix(16).description)
}

@Test(arguments: ["", " ", "       ", "ABCDEFGHIJKLMNOPQ", "A B", "É", "A\n", "\u{7F}"])
func `a symbol that is no symbol is refused`(text: String) { #expect(Symbol(text) == nil) }

@Test func `symbols are equal exactly when their spelling is`() {
  #expect(Symbol("AB") != Symbol("BA") && Symbol("AB") == Symbol("AB ") && Symbol("A") != Symbol("AA"))
  #expect(Symbol("ABCDEFGHI") != Symbol("ABCDEFGH"))
}

@Test func `a trace names feed and session apart`() {
  #expect(TraceID.source(feed: "ab", session: "c") != TraceID.source(feed: "a", session: "bc"))
  #expect(TraceID.source(feed: "itch", session: "1") == TraceID.source(feed: "itch", session: "1"))
}

@Test func `a venue's bit is its own`() {
  let bits = (0..<UInt16(VenueID.countMax)).map { VenueID(index: $0).bit }
  #expect(bits.reduce(0, |) == .max && Set(bits).count == 64)
}

private func share(_ index: UInt32, _ name: String) -> Instrument {
  Instrument(id: InstrumentID(index: index), symbol: Symbol(name)!)
}

@Test func `a directory finds instruments by id and by symbol`() throws {
  let directory = try InstrumentDirectory([share(0, "AAA"), share(1, "BBB")])
  #expect(directory.count == 2 && directory[InstrumentID(index: 1)].symbol == Symbol("BBB"))
  #expect(directory.id(of: Symbol("AAA")!) == InstrumentID(index: 0) && directory.id(of: Symbol("CCC")!) == nil)
}

@Test func `a directory refuses gaps and repeated names, and says which`() {
  #expect(throws: ConfigurationError("instrument BBB: id 2, expected 1")) {
    try InstrumentDirectory([share(0, "AAA"), share(2, "BBB")])
  }
  #expect(throws: ConfigurationError("instrument AAA: listed twice")) {
    try InstrumentDirectory([share(0, "AAA"), share(1, "AAA")])
  }
  let venues = (0..<65).map { Venue(id: VenueID(index: UInt16($0)), symbol: Symbol("V\($0)")!) }
  #expect(throws: ConfigurationError("65 venues, expected at most 64")) { try VenueDirectory(venues) }
  #expect(throws: ConfigurationError("venue V1: id 1, expected 0")) { try VenueDirectory([venues[1]]) }
  let twice = [venues[0], Venue(id: VenueID(index: 1), symbol: Symbol("V0")!)]
  #expect(throws: ConfigurationError("a venue is listed twice")) { try VenueDirectory(twice) }
  #expect((try? VenueDirectory(Array(venues.prefix(64))))?.count == 64)
}

@Test func `an instrument of no size ends the program`() async {
  await #expect(processExitsWith: .failure) {
    _ = Instrument(id: InstrumentID(index: 0), symbol: Symbol("A")!, lotUnits: 0)
  }
}

@Test func `the grid of US shares changes at one dollar`() {
  let ticks = TickTable.usEquity
  #expect(ticks.contains(Price(nanos: 999_900_000)) && ticks.contains(Price(nanos: 1_010_000_000)))
  #expect(!ticks.contains(Price(nanos: 999_950_000)) && !ticks.contains(Price(nanos: 1_005_000_000)))
  #expect(ticks.increment(at: Price(nanos: 1_000_000_000)).nanos == 10_000_000)
}
