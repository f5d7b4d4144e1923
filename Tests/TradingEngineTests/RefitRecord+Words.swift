@testable import TradingEngine

extension RefitRecord {
  /// The words a journal keeps.
  var words: [UInt64] {
    let words = journalWords
    return words.indices.map { words[$0] }
  }
}
