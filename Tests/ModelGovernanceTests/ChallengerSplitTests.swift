import CAllocationCounter
import Foundation
import ModelInference
import TestSupport
import Testing
import TradingTypes

// Goal: the split of decisions is the golden one and needs no memory. Method: every vector of the reference file, its count over
// real dates, and the spread of integer keys.
struct ChallengerSplitTests {
  @Test(.enabled(if: Golden.isThere, "the golden figures are beside the checkout"))
  func `hash, mix, bucket and choice of every golden key are exact`() throws {
    let golden = try Golden.object("ab_split")
    let split = ChallengerSplit()
    let vectors = golden["vectors"] as? [[String: Any]] ?? []
    #expect(vectors.count == 12)
    for vector in vectors {
      let key = vector["key"] as? String ?? "?"
      var hash = FNV1a64()
      for byte in key.utf8 { hash.combine(byte) }
      #expect(hash.hex == vector["fnv1a64"] as? String, "\(key)")
      #expect(hexadecimal(ChallengerSplit.mixed(hash.value)) == vector["mixed"] as? String, "\(key)")
      #expect(ChallengerSplit.bucket(of: key) == Int(vector.number("bucket")), "\(key)")
      #expect(split.isChallenger(key) == (vector["challenger"] as? Bool), "\(key)")
    }
    let keys = try Golden.rows("sp500_returns.csv").map { "SPX|\($0[0])" }
    #expect(keys.count == Int(golden.number("n_keys")))
    #expect(keys.count { split.isChallenger($0) } == Int(golden.number("challenger_count")))
  }

  @Test func `integer keys fall evenly into buckets and keep their side when the share grows`() {
    let split = ChallengerSplit()
    let larger = ChallengerSplit(challengerBucketCount: 3_000)
    var taken = (session: 0, trace: 0)
    for index in 0..<100 {
      for session in 0..<200 {
        let instrument = InstrumentID(index: UInt32(index))
        let isTaken = split.isChallenger(instrument, session: UInt64(session))
        taken.session += isTaken ? 1 : 0
        #expect(!isTaken || larger.isChallenger(instrument, session: UInt64(session)))
        taken.trace += split.isChallenger(TraceID(source: UInt64(index), sequence: UInt64(session))) ? 1 : 0
      }
    }
    // 20 % of 20,000, within four standard deviations of 57.
    #expect(abs(taken.session - 4_000) < 228 && abs(taken.trace - 4_000) < 228, "\(taken)")
    #expect(!ChallengerSplit(challengerBucketCount: 0).isChallenger("a"))
    #expect(ChallengerSplit(challengerBucketCount: 10_000).isChallenger("a"))
    #expect(split.challengerShare == 0.2)
  }

  @Test func `an integer key is its little-endian bytes`() {
    var hash = FNV1a64()
    for byte in [7, 0, 0, 0, 9, 1, 0, 0, 0, 0, 0, 0] as [UInt8] { hash.combine(byte) }
    #expect(
      ChallengerSplit.bucket(of: InstrumentID(index: 7), session: 0x109) == ChallengerSplit.bucket(of: hash))
  }

  @Test(.enabled(if: countsAllocations))
  func `choosing allocates nothing`() {
    let split = ChallengerSplit()
    let key = "SPX|1999-01-07, long enough to live on the heap"
    var chosen = 0
    let counts = counting {
      for sequence in 0..<1000 {
        chosen += split.isChallenger(TraceID(source: 5, sequence: UInt64(sequence))) ? 1 : 0
        chosen += split.isChallenger(InstrumentID(index: 3), session: UInt64(sequence)) ? 1 : 0
        chosen += split.isChallenger(key) ? 1 : 0
      }
    }
    #expect(counts.allocations == 0 && chosen > 0)
  }
}
