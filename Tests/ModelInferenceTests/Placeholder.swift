// ModelInferenceTests
