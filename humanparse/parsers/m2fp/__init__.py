"""M2FP (Mask2Former for Parsing): the accurate parser, with weights fetched on request.

Yang, Jia, Li and Zhang, "Deep Learning Technique for Human Parsing: A Survey and Outlook", 2023;
masked attention from Cheng et al., "Masked-attention Mask Transformer", 2022.
"""
