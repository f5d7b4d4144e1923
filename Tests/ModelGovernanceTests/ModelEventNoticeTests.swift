import ModelGovernance
import Testing
import TradingTypes

// Goal: what an engine tells in the small form reaches the history unchanged. Method: every kind there and back, subjects by hand.
@Suite struct ModelEventNoticeTests {
  @Test func `every notice becomes the event of its kind`() {
    for kind in ModelNotice.Kind.allCases {
      let notice = ModelNotice(
        kind, model: 0x0123_4567_89AB_CDEF, version: 4, value: 0.5, at: Timestamp(nanoseconds: 9))
      let event = ModelEvent(notice, model: "reference")
      #expect(event.kind.notice == kind && event.model == "reference" && event.version == 4)
      #expect(event.value == 0.5 && event.timeNanoseconds == 9)
      #expect(event.notice(sha256: "0123456789abcdef0000") == notice)
    }
  }

  @Test func `drift names its slot`() {
    func subject(_ kind: ModelNotice.Kind, _ slot: UInt16) -> String? {
      ModelEvent(ModelNotice(kind, slot: slot, at: .distantPast), model: "m").subject
    }
    #expect(subject(.driftAlert, 0) == FeatureSlot.allCases[0].name)
    #expect(subject(.driftCleared, 87) == FeatureSlot.allCases[87].name)
    #expect(subject(.driftAlert, 90) == "slot 90")
    #expect(subject(.driftAlert, .max) == "probability")
    #expect(subject(.swapped, .max) == nil)
  }
}
