"""From the page "Deploy and debug", section "Common deploy pitfalls".

Corrected: the page names the library `openpyxl` as one that is not installed; here it has a name nothing can have.
"""


def export_workbook():
    import openpyxl_that_is_not_installed

    return {"version": openpyxl_that_is_not_installed.__version__}
