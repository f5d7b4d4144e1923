import LockFreeRings
import OrderBooks
import Synchronization
import TestSupport
import Testing
import TradingTypes

// Goal: another thread reads whole views while the books go on. Method: books over seeded messages publish after each change; a reader checks what holds
// of every single view: sorted levels, sizes above zero, counts that fit.
@Suite struct DepthBoardTests {
  final class Flags: Sendable {
    let isDone = Atomic<Bool>(false)
    let looks = Atomic<Int>(0)
    let wrong = Atomic<Int>(0)
  }

  @Test func `another thread reads whole views and never an older one`() throws {
    let capacity = try BookCapacity(instruments: 4, orders: 1_024, windowTicks: 64)
    var books = try makeBooks(capacity)
    var board = try DepthBoard(instruments: 4, in: Arena(capacityBytes: 1 << 20))
    let flags = Flags()
    let handed = Handoff(try board.reader())
    let thread = PinnedThread(ThreadConfiguration(name: "read")) {
      var reader = handed.take()
      var last = [UInt64](repeating: 0, count: 4)
      repeat {
        for index in 0..<4 {
          let (view, version) = reader.read(InstrumentID(index: UInt32(index)))
          if version < last[index] || !Self.isWhole(view) { flags.wrong.wrappingAdd(1, ordering: .relaxed) }
          last[index] = version
        }
        flags.looks.wrappingAdd(1, ordering: .relaxed)
      } while !flags.isDone.load(ordering: .acquiring)
    }
    var options = ReferenceBookMessages.Options()
    options.instruments = 3
    options.live = 400
    var source = ReferenceBookMessages(options, seed: 17)
    var published = [UInt64](repeating: 0, count: 4)
    for _ in 0..<20_000 {
      let event = source.next()
      guard books.apply(event).depthChanged else { continue }
      board.publish(books[depth: event.instrument], of: event.instrument)
      published[Int(event.instrument.index)] += 1
    }
    flags.isDone.store(true, ordering: .releasing)
    thread.join()
    #expect(flags.wrong.load(ordering: .relaxed) == 0 && flags.looks.load(ordering: .relaxed) > 0)
    var reader = try board.reader()
    for index in 0..<4 {
      let id = InstrumentID(index: UInt32(index))
      let (view, version) = reader.read(id)
      let now = books[depth: id]
      let told = reader.version(of: id)
      #expect(version == published[index] && told == version)
      let isSame = (0..<10).allSatisfy { view.bids[$0] == now.bids[$0] && view.asks[$0] == now.asks[$0] }
      #expect(isSame && view.bidCount == now.bidCount && view.askCount == now.askCount)
    }
  }

  /// What holds of every view of a book.
  static func isWhole(_ view: DepthView) -> Bool {
    for rank in 0..<10 {
      let (bid, ask) = (view.bids[rank], view.asks[rank])
      if (bid.quantity.lots > 0) != (rank < Int(view.bidCount)) { return false }
      if (ask.quantity.lots > 0) != (rank < Int(view.askCount)) { return false }
      if rank > 0, bid.quantity.lots > 0, bid.price >= view.bids[rank - 1].price { return false }
      if rank > 0, ask.quantity.lots > 0, ask.price <= view.asks[rank - 1].price { return false }
    }
    return true
  }
}
